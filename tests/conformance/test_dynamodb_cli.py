"""The DynamoDB commands of the AWS CLI."""
import json


def test_table_and_items(aws, name):
    aws("dynamodb", "create-table", "--table-name", name, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=path,AttributeType=S",
        "--key-schema", "AttributeName=path,KeyType=HASH")
    aws("dynamodb", "wait", "table-exists", "--table-name", name)
    for number in range(3):
        item = {"path": {"S": f"bucket/ü {number}+%.jpg"}, "size": {"N": str(number)}}
        aws("dynamodb", "put-item", "--table-name", name, "--item", json.dumps(item))
    got = aws.json("dynamodb", "get-item", "--table-name", name, "--key",
                   json.dumps({"path": {"S": "bucket/ü 1+%.jpg"}}))
    assert got["Item"]["size"] == {"N": "1"}
    assert aws.json("dynamodb", "scan", "--table-name", name)["Count"] == 3
    page = aws.json("dynamodb", "scan", "--table-name", name, "--page-size", 1, "--max-items", 2)
    assert len(page["Items"]) == 2 and page["NextToken"]
    result = aws("dynamodb", "put-item", "--table-name", name, "--item", json.dumps(item),
                 "--condition-expression", "attribute_not_exists(#p)",
                 "--expression-attribute-names", '{"#p": "path"}', check=False)
    assert result.returncode != 0 and b"ConditionalCheckFailedException" in result.stderr
    aws("dynamodb", "delete-table", "--table-name", name)
    aws("dynamodb", "wait", "table-not-exists", "--table-name", name)
