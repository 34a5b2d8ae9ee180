"""The standard stack as a user sees it: its names, pictures to upload, records to wait for."""
import binascii
import os
import struct
import time
import zlib

import clients

FUNCTION = "serverless-img-proc"
SOURCE = "serverless-img-proc-source"
DESTINATION = "serverless-img-proc-dest"
TABLE = "serverless-img-proc-metadata"


def _png(width, height, data, depth=8, color=2):
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", binascii.crc32(kind + content)))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)
            + chunk(b"IEND", b""))


def gradient_png(width, height, blue=128):
    rows = b"".join(
        b"\0" + bytes(v for x in range(width)
                      for v in (x * 255 // width, y * 255 // height, blue % 256))
        for y in range(height))
    return _png(width, height, zlib.compress(rows, 1))


def noise_png(width, height):
    """As large as its pixels: width * height * 3 bytes."""
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    return _png(width, height, zlib.compress(rows, 0))


def bomb_png(side):
    """A few kilobytes that declare side x side black pixels."""
    compressor = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(compressor.compress(row) for _ in range(side)) + compressor.flush()
    return _png(side, side, data, depth=1, color=0)


def item_of(dynamodb, key):
    return dynamodb.get_item(TableName=TABLE, ConsistentRead=True,
                             Key={"path": {"S": f"{SOURCE}/{key}"}}).get("Item")


def wait_for_record(dynamodb, key, seconds_max=90, etag=None):
    """The record once it is final, and tells of the object with `etag` if that is given."""
    deadline = time.monotonic() + seconds_max
    item = None
    while time.monotonic() < deadline:
        item = item_of(dynamodb, key)
        if (clients.is_final(item)
                and (etag is None or item.get("etag", {}).get("S") == etag.strip('"'))):
            return item
        time.sleep(0.05)
    raise AssertionError(f"no final record of {key} after {seconds_max} s, only {item}")
