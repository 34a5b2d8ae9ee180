"""Tables and items through boto3."""
import decimal

import boto3.dynamodb.types
import pytest
from botocore.exceptions import ClientError

S = boto3.dynamodb.types.TypeSerializer().serialize


def code_of(error):
    return error.value.response["Error"]["Code"]


def key(id_, at):
    return {"id": {"S": id_}, "at": {"N": str(at)}}


def fill(dynamodb, table, count, **extra):
    for at in range(count):
        dynamodb.put_item(TableName=table, Item=key("a", at) | extra
                          | {"kind": {"S": "even" if at % 2 == 0 else "odd"}, "n": {"N": str(at)}})


def test_every_type_comes_back(dynamodb, table):
    item = key("types", 1) | {
        "s": {"S": "ü 📷"}, "empty": {"S": ""}, "n": {"N": "-1.5"}, "b": {"B": b"\x00\xff"},
        "yes": {"BOOL": True}, "no": {"BOOL": False}, "null": {"NULL": True},
        "l": {"L": [{"N": "1"}, {"L": []}, {"M": {}}]},
        "m": {"M": {"deep": {"M": {"er": {"S": "x"}}}}}, "empty list": {"L": []}}
    sets = {"ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": [b"a", b"b"]}}
    dynamodb.put_item(TableName=table, Item=item | sets)
    got = dynamodb.get_item(TableName=table, Key=key("types", 1), ConsistentRead=True)["Item"]
    for name, value in sets.items():
        (kind, members), = value.items()
        assert sorted(got.pop(name)[kind]) == members
    assert got == item


@pytest.mark.parametrize("text, stored", [
    ("1", "1"), ("1.0", "1"), ("0100", "100"), ("-0", "0"), ("1E+2", "100"), ("0.00", "0"),
    ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ("0.1234567890123456789012345678901234567", "0.1234567890123456789012345678901234567"),
    ("9.9999999999999999999999999999999999999E+125", None), ("1E-130", None), ("-1E-130", None),
])
def test_numbers_keep_38_digits(dynamodb, table, text, stored):
    dynamodb.put_item(TableName=table, Item=key("n", 1) | {"n": {"N": text}})
    got = dynamodb.get_item(TableName=table, Key=key("n", 1))["Item"]["n"]["N"]
    assert decimal.Decimal(got) == decimal.Decimal(text)
    assert stored is None or got == stored


@pytest.mark.parametrize("text", ["1E+126", "1E-131", "123456789012345678901234567890123456789",
                                  "NaN", "Infinity", "abc", ""])
def test_numbers_beyond_are_refused(dynamodb, table, text):
    with pytest.raises(ClientError) as error:
        dynamodb.put_item(TableName=table, Item=key("n", 1) | {"n": {"N": text}})
    assert code_of(error) == "ValidationException"


def test_put_returns_the_old_item(dynamodb, table):
    assert "Attributes" not in dynamodb.put_item(
        TableName=table, Item=key("a", 1) | {"v": {"N": "1"}}, ReturnValues="ALL_OLD")
    old = dynamodb.put_item(TableName=table, Item=key("a", 1), ReturnValues="ALL_OLD")
    assert old["Attributes"] == key("a", 1) | {"v": {"N": "1"}}


def test_conditional_put(dynamodb, table):
    absent = {"ConditionExpression": "attribute_not_exists(id)"}
    dynamodb.put_item(TableName=table, Item=key("a", 1) | {"seq": {"S": "05"}}, **absent)
    with pytest.raises(ClientError) as error:
        dynamodb.put_item(TableName=table, Item=key("a", 1), **absent)
    assert code_of(error) == "ConditionalCheckFailedException"
    newer = {"ConditionExpression": "attribute_not_exists(#id) OR #seq < :seq",
             "ExpressionAttributeNames": {"#id": "id", "#seq": "seq"}}
    for seq, written in [("04", False), ("05", False), ("06", True), ("05", False)]:
        call = {"TableName": table, "Item": key("a", 1) | {"seq": {"S": seq}},
                "ExpressionAttributeValues": {":seq": {"S": seq}}} | newer
        if written:
            dynamodb.put_item(**call)
        else:
            with pytest.raises(ClientError) as error:
                dynamodb.put_item(**call)
            assert code_of(error) == "ConditionalCheckFailedException"
    assert dynamodb.get_item(TableName=table, Key=key("a", 1))["Item"]["seq"] == {"S": "06"}


@pytest.mark.parametrize("expression, values, expected", [
    ("SET n = n + :one", {":one": 1}, {"n": 6}),
    ("SET n = :one - n", {":one": 1}, {"n": -4}),
    ("SET n = if_not_exists(n, :one), k = if_not_exists(k, :one)", {":one": 1}, {"n": 5, "k": 1}),
    ("SET l = list_append(l, :l)", {":l": ["c"]}, {"l": ["a", "b", "c"]}),
    ("SET l = list_append(:l, l)", {":l": ["c"]}, {"l": ["c", "a", "b"]}),
    ("SET l[1] = :x, m.y = :x", {":x": "x"}, {"l": ["a", "x"], "m": {"x": 1, "y": "x"}}),
    ("SET l[9] = :x", {":x": "x"}, {"l": ["a", "b", "x"]}),
    ("REMOVE l[0], m.x, gone", None, {"l": ["b"], "m": {}}),
    ("ADD n :two, fresh :two", {":two": 2}, {"n": 7, "fresh": 2}),
    ("ADD tags :t", {":t": {"z"}}, {"tags": {"x", "y", "z"}}),
    ("DELETE tags :t", {":t": {"x"}}, {"tags": {"y"}}),
    ("SET a = :x REMOVE n ADD k :two", {":x": "x", ":two": 2}, {"a": "x", "n": None, "k": 2}),
])
def test_update_expressions(dynamodb, table, expression, values, expected):
    start = {"n": 5, "l": ["a", "b"], "m": {"x": 1}, "tags": {"x", "y"}}
    dynamodb.put_item(TableName=table,
                      Item=key("a", 1) | {name: S(value) for name, value in start.items()})
    call = {"TableName": table, "Key": key("a", 1), "UpdateExpression": expression,
            "ReturnValues": "ALL_NEW"}
    if values:
        call["ExpressionAttributeValues"] = {name: S(value) for name, value in values.items()}
    new = dynamodb.update_item(**call)["Attributes"]
    read = boto3.dynamodb.types.TypeDeserializer().deserialize
    new = {name: read(value) for name, value in new.items() if name not in ("id", "at")}
    assert new == {n: v for n, v in (start | expected).items() if v is not None}


def test_update_makes_the_item_and_returns_what_is_asked(dynamodb, table):
    call = {"TableName": table, "Key": key("a", 1), "UpdateExpression": "SET v = :v"}
    new = dynamodb.update_item(**call, ExpressionAttributeValues={":v": {"N": "1"}},
                               ReturnValues="UPDATED_NEW")
    assert new["Attributes"] == {"v": {"N": "1"}}
    old = dynamodb.update_item(**call, ExpressionAttributeValues={":v": {"N": "2"}},
                               ReturnValues="UPDATED_OLD")
    assert old["Attributes"] == {"v": {"N": "1"}}


def test_delete(dynamodb, table):
    dynamodb.put_item(TableName=table, Item=key("a", 1) | {"v": {"N": "1"}})
    with pytest.raises(ClientError) as error:
        dynamodb.delete_item(TableName=table, Key=key("a", 1), ConditionExpression="v = :v",
                             ExpressionAttributeValues={":v": {"N": "2"}})
    assert code_of(error) == "ConditionalCheckFailedException"
    old = dynamodb.delete_item(TableName=table, Key=key("a", 1), ReturnValues="ALL_OLD")
    assert old["Attributes"]["v"] == {"N": "1"}
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("a", 1))
    dynamodb.delete_item(TableName=table, Key=key("a", 1))


def test_projection(dynamodb, table):
    dynamodb.put_item(TableName=table, Item=key("a", 1) | {
        "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "l": {"L": [{"S": "p"}, {"S": "q"}]},
        "size": {"N": "3"}})
    got = dynamodb.get_item(TableName=table, Key=key("a", 1),
                            ProjectionExpression="m.x, l[1], #size",
                            ExpressionAttributeNames={"#size": "size"})["Item"]
    assert got == {"m": {"M": {"x": {"N": "1"}}}, "l": {"L": [{"S": "q"}]}, "size": {"N": "3"}}


@pytest.mark.parametrize("condition, values, expected", [
    ("id = :id", {}, range(10)),
    ("id = :id AND #at = :x", {":x": 3}, [3]),
    ("id = :id AND #at < :x", {":x": 3}, [0, 1, 2]),
    ("id = :id AND #at >= :x", {":x": 7}, [7, 8, 9]),
    ("id = :id AND #at BETWEEN :x AND :y", {":x": 2, ":y": 4}, [2, 3, 4]),
])
def test_query(dynamodb, table, condition, values, expected):
    fill(dynamodb, table, 10)
    dynamodb.put_item(TableName=table, Item=key("b", 3))
    values = {name: S(value) for name, value in ({":id": "a"} | values).items()}
    call = {"TableName": table, "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values}
    if "#at" in condition:  # AT is a reserved word
        call["ExpressionAttributeNames"] = {"#at": "at"}
    found = dynamodb.query(**call)
    assert [int(item["at"]["N"]) for item in found["Items"]] == list(expected)
    assert found["Count"] == found["ScannedCount"] == len(list(expected))
    back = dynamodb.query(**call, ScanIndexForward=False)
    assert [int(item["at"]["N"]) for item in back["Items"]] == list(expected)[::-1]


def test_query_pages_and_filters(dynamodb, table):
    fill(dynamodb, table, 10)
    call = {"TableName": table, "KeyConditionExpression": "id = :id",
            "ExpressionAttributeValues": {":id": {"S": "a"}}}
    first = dynamodb.query(**call, Limit=4)
    assert first["Count"] == 4 and first["LastEvaluatedKey"] == key("a", 3)
    rest = dynamodb.query(**call, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [int(i["at"]["N"]) for i in rest["Items"]] == [4, 5, 6, 7, 8, 9]
    assert "LastEvaluatedKey" not in rest
    # The filter comes after the limit and the reading.
    found = dynamodb.query(
        **(call | {"ExpressionAttributeValues": {":id": {"S": "a"}, ":k": {"S": "odd"}}}),
        FilterExpression="kind = :k", Limit=5)
    assert (found["Count"], found["ScannedCount"]) == (2, 5)
    count = dynamodb.query(**call, Select="COUNT")
    assert count["Count"] == 10 and "Items" not in count


def test_query_of_an_index(dynamodb, table):
    fill(dynamodb, table, 6)
    dynamodb.put_item(TableName=table, Item=key("without kind", 1))
    call = {"TableName": table, "IndexName": "by-kind", "KeyConditionExpression": "kind = :k",
            "ExpressionAttributeValues": {":k": {"S": "odd"}}}
    found = dynamodb.query(**call, ScanIndexForward=False)
    assert [int(item["at"]["N"]) for item in found["Items"]] == [5, 3, 1]
    first = dynamodb.query(**call, Limit=2)
    assert set(first["LastEvaluatedKey"]) == {"id", "at", "kind"}
    rest = dynamodb.query(**call, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [int(item["at"]["N"]) for item in rest["Items"]] == [5]
    dynamodb.update_item(TableName=table, Key=key("a", 1), UpdateExpression="REMOVE kind")
    assert dynamodb.query(**call)["Count"] == 2
    assert dynamodb.scan(TableName=table, IndexName="by-kind")["Count"] == 5


@pytest.mark.parametrize("expression, values, expected", [
    ("n > :x", {":x": 7}, [8, 9]),
    ("n IN (:x, :y)", {":x": 1, ":y": 5}, [1, 5]),
    ("n BETWEEN :x AND :y AND kind <> :k", {":x": 1, ":y": 5, ":k": "odd"}, [2, 4]),
    ("NOT n < :x", {":x": 8}, [8, 9]),
    ("n = :x OR (kind = :k AND n > :y)", {":x": 0, ":k": "odd", ":y": 6}, [0, 7, 9]),
    ("begins_with(kind, :p) AND n < :x", {":p": "ev", ":x": 3}, [0, 2]),
    ("contains(kind, :p) AND n < :x", {":p": "dd", ":x": 4}, [1, 3]),
    ("attribute_exists(kind) AND attribute_not_exists(gone) AND n = :x", {":x": 2}, [2]),
    ("attribute_type(n, :t) AND size(kind) = :four AND n > :x", {":t": "N", ":four": 4, ":x": 7},
     [8]),
    ("n > kind", {}, []),
])
def test_scan_filters(dynamodb, table, expression, values, expected):
    fill(dynamodb, table, 10)
    call = {"TableName": table, "FilterExpression": expression}
    if values:
        call["ExpressionAttributeValues"] = {name: S(value) for name, value in values.items()}
    found = dynamodb.scan(**call)
    assert sorted(int(item["at"]["N"]) for item in found["Items"]) == expected
    assert found["ScannedCount"] == 10


def test_scan_pages_and_segments(dynamodb, table):
    for number in range(30):
        dynamodb.put_item(TableName=table, Item=key(f"id{number}", 0))
    pages = list(dynamodb.get_paginator("scan").paginate(
        TableName=table, PaginationConfig={"PageSize": 7}))
    seen = [item["id"]["S"] for page in pages for item in page["Items"]]
    assert len(seen) == len(set(seen)) == 30 and len(pages) >= 5
    parts = [dynamodb.scan(TableName=table, Segment=i, TotalSegments=3)["Items"] for i in range(3)]
    assert sorted(item["id"]["S"] for part in parts for item in part) == sorted(seen)


def test_batches(dynamodb, table):
    puts = [{"PutRequest": {"Item": key("a", at)}} for at in range(25)]
    assert dynamodb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"] == {}
    got = dynamodb.batch_get_item(RequestItems={table: {
        "Keys": [key("a", 1), key("a", 24), key("a", 99)]}})
    assert sorted(int(i["at"]["N"]) for i in got["Responses"][table]) == [1, 24]
    assert got["UnprocessedKeys"] == {}
    dynamodb.batch_write_item(RequestItems={table: [
        {"DeleteRequest": {"Key": key("a", at)}} for at in range(20)]})
    assert dynamodb.scan(TableName=table, Select="COUNT")["Count"] == 5
    with pytest.raises(ClientError) as error:
        dynamodb.batch_write_item(RequestItems={table: puts + puts})
    assert code_of(error) == "ValidationException"


def test_batch_writer_of_the_resource(dynamodb, table, endpoint):
    resource = boto3.resource("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                              aws_access_key_id="test", aws_secret_access_key="test")
    with resource.Table(table).batch_writer() as batch:
        for at in range(60):
            batch.put_item(Item={"id": "r", "at": at, "text": "x"})
    assert dynamodb.scan(TableName=table, Select="COUNT")["Count"] == 60


def test_transactions_are_all_or_nothing(dynamodb, table):
    put = {"Put": {"TableName": table, "Item": key("t", 1)}}
    check = {"ConditionCheck": {"TableName": table, "Key": key("t", 2),
                                "ConditionExpression": "attribute_exists(id)"}}
    with pytest.raises(ClientError) as error:
        dynamodb.transact_write_items(TransactItems=[put, check])
    assert code_of(error) == "TransactionCanceledException"
    reasons = error.value.response["CancellationReasons"]
    assert [r["Code"] for r in reasons] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("t", 1))
    dynamodb.put_item(TableName=table, Item=key("t", 2))
    dynamodb.transact_write_items(TransactItems=[put, check])
    assert "Item" in dynamodb.get_item(TableName=table, Key=key("t", 1))


def test_table_description(dynamodb, table):
    found = dynamodb.describe_table(TableName=table)["Table"]
    assert found["TableStatus"] == "ACTIVE" and found["TableName"] == table
    assert found["TableArn"].startswith("arn:aws:dynamodb:us-east-1:")
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [k["AttributeName"] for k in found["KeySchema"]] == ["id", "at"]
    assert [i["IndexName"] for i in found["GlobalSecondaryIndexes"]] == ["by-kind"]
    assert table in dynamodb.list_tables()["TableNames"]


def test_time_to_live_setting(dynamodb, table):
    setting = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=setting)
    found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert found["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    assert found["AttributeName"] == "expires_at"


def test_errors(dynamodb, table, name):
    none = name + "-none"
    item = key("a", 1)
    for call, code in [
            (lambda: dynamodb.get_item(TableName=none, Key=item), "ResourceNotFoundException"),
            (lambda: dynamodb.describe_table(TableName=none), "ResourceNotFoundException"),
            (lambda: dynamodb.delete_table(TableName=none), "ResourceNotFoundException"),
            (lambda: dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}}),
             "ValidationException"),
            (lambda: dynamodb.put_item(TableName=table, Item={"id": {"N": "1"}, "at": {"N": "1"}}),
             "ValidationException"),
            (lambda: dynamodb.put_item(TableName=table, Item=key("", 1)), "ValidationException"),
            (lambda: dynamodb.put_item(TableName=table, Item=item | {"b": {"S": "x" * 409600}}),
             "ValidationException"),
            (lambda: dynamodb.update_item(TableName=table, Key=item, UpdateExpression="SET x = "),
             "ValidationException"),
            (lambda: dynamodb.query(TableName=table, KeyConditionExpression="at = :a",
                                    ExpressionAttributeValues={":a": {"N": "1"}}),
             "ValidationException"),
            (lambda: dynamodb.scan(TableName=table, FilterExpression="size = :a",
                                   ExpressionAttributeValues={":a": {"N": "1"}}),
             "ValidationException"),
            (lambda: dynamodb.scan(TableName=table, FilterExpression="x = :a",
                                   ExpressionAttributeValues={":a": {"N": "1"}, ":b": {"N": "1"}}),
             "ValidationException")]:
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == code
        assert error.value.response["Error"]["Message"]
