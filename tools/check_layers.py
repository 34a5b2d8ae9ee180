#!/usr/bin/env python3
"""Checks who includes whom below src/, against the table of ARCHITECTURE.md.

With one include root an upward include compiles in silence even where the link graph forbids it,
so this script, run by ctest and ./dev lint, is what upholds the direction.
Usage: check_layers.py [ROOT]     or     check_layers.py --self-test
"""
import pathlib
import re
import sys
import tempfile

import rule

# Folder of src/ -> folders it may include besides itself.
LAYERS = {
    "base": set(),
    "http": {"base"},
    "ports": {"base"},
    "protocol": {"base", "http"},
    "image": {"base", "ports"},
    "decoder": {"base", "ports"},
    "pipeline": {"base", "ports"},
    "aws": {"base", "http", "ports", "protocol"},
    "runtime": {"base", "http"},
    "localcloud": {"base", "http", "protocol"},
    "app": {"base", "http", "ports", "protocol", "image", "decoder", "pipeline", "aws", "runtime",
            "localcloud"},
}
# Folders of src/localcloud/ that every service may include.
LOCALCLOUD_SHARED = {"store", "rpc"}
# Folders of src/app/ -> folders of src/ it must not reach, by include or by link.
PROGRAMS_WITHOUT = {
    "bootstrap": {"localcloud", "image"},
    "imgproc": {"image"},
    "decoder": {"localcloud", "aws", "http", "runtime", "protocol"},
}
# What only some folders may include: pattern of the header, folders (prefixes below src/), why.
RESERVED = [
    (r"vips/", ("image/", "app/decoder/"), "only image and the decoder program know libvips"),
    (r"boost/(beast|asio)|sys/socket\.h|netinet/|arpa/inet\.h|openssl/ssl\.h", ("http/",),
     "only http touches the network"),
    (r"sqlite3\.h", ("localcloud/store/",), "only localcloud/store knows SQLite"),
]
# A socket pair between two processes of ours is no network.
RESERVED_EXCEPT = {("decoder/", "sys/socket.h"), ("app/decoder/", "sys/socket.h")}
ENVIRONMENT = re.compile(
    r"\b(secure_getenv|getenv|setenv|unsetenv|putenv)\s*\(|\benviron\b|\bint main\(")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
LINE_COMMENT = re.compile(r"//.*$")


def check_file(src, path):
    """Yields one message per breach in the file."""
    name = path.relative_to(src).as_posix()
    folder = name.split("/")[0]
    where = f"src/{name}"
    if folder not in LAYERS:
        yield f"{where}: folder '{folder}' has no place in the table of layers"
        return
    parts = name.split("/")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            if (folder != "app" and not name.endswith("_test.cc")
                    and ENVIRONMENT.search(LINE_COMMENT.sub("", line))):
                yield f"{where}:{number}: only src/app reads the environment and has a main"
            continue
        header = match.group(1) or match.group(2)
        for pattern, folders, why in RESERVED:
            if re.match(pattern, header) and not name.startswith(folders):
                if not any(name.startswith(f) and header == h for f, h in RESERVED_EXCEPT):
                    yield f"{where}:{number}: includes {header}: {why}"
        if match.group(1) is None:
            continue
        if not (src / header).is_file():
            yield f"{where}:{number}: \"{header}\" is not a header below src/"
            continue
        target = header.split("/")[0]
        if target != folder and target not in LAYERS[folder]:
            yield f"{where}:{number}: {folder} may not include {target} ({header})"
        if folder == "app" and len(parts) > 2 and target in PROGRAMS_WITHOUT.get(parts[1], ()):
            yield f"{where}:{number}: program {parts[1]} may not include {target} ({header})"
        # A service of the local cloud knows the store, the dispatch and the shared headers, not its
        # siblings; cloud/ puts them together.
        if folder == target == "localcloud" and len(parts) > 2 and parts[1] != "cloud":
            inner = header.split("/")
            if len(inner) > 2 and inner[1] not in LOCALCLOUD_SHARED | {parts[1]}:
                yield (f"{where}:{number}: localcloud/{parts[1]} may not include "
                       f"its sibling {header}")


def check_links(src):
    """Yields a message where a program's CMakeLists.txt names a library it must not link."""
    for program, forbidden in PROGRAMS_WITHOUT.items():
        lists = src / "app" / program / "CMakeLists.txt"
        if not lists.is_file():
            continue
        text = re.sub(r"#.*", "", lists.read_text(encoding="utf-8"))
        for word in re.findall(r"[\w:]+", text):
            if any(word.removeprefix("imgproc_").startswith(folder) for folder in forbidden):
                yield f"src/app/{program}/CMakeLists.txt: links {word}, which {program} must not"


def check(root):
    src = pathlib.Path(root) / "src"
    files = sorted(p for p in src.rglob("*") if p.suffix in (".h", ".cc"))
    messages = [m for path in files for m in check_file(src, path)]
    return files, messages + list(check_links(src))


def self_test():
    """Each rule must catch its breach, and a clean tree must pass."""
    clean = {
        "base/a.h": "#pragma once\n",
        "http/client.cc": '#include <boost/beast.hpp>\n#include "base/a.h"\n',
        "image/decode.cc": '#include <vips/vips.h>\n#include "base/a.h"\n',
        "decoder/pool.cc": "#include <sys/socket.h>\n",
        "localcloud/context.h": "#pragma once\n",
        "localcloud/store/db.h": "#include <sqlite3.h>\n",
        "localcloud/s3/put.h":
            '#include "localcloud/context.h"\n#include "localcloud/store/db.h"\n',
        "localcloud/cloud/cloud.cc": '#include "localcloud/s3/put.h"\n',
        "app/imgproc/main.cc":
            '#include "localcloud/cloud/cloud.h"\nint main() { getenv("A"); }\n',
        "localcloud/cloud/cloud.h": "// getenv() is for src/app\n",
        "base/a_test.cc": 'auto* x = getenv("IMGPROC_SHARED");\n',
        "app/bootstrap/CMakeLists.txt": "imgproc_program(bootstrap USES aws)  # not localcloud\n",
    }
    breaches = {
        "base/up.h": '#include "http/client.h"\n',
        "ports/up.h": '#include "protocol/x.h"\n',
        "pipeline/vips.cc": "#include <vips/vips8>\n",
        "aws/socket.cc": "#include <sys/socket.h>\n",
        "aws/beast.cc": "#include <boost/asio.hpp>\n",
        "localcloud/s3/sql.cc": "#include <sqlite3.h>\n",
        "localcloud/dynamodb/sibling.cc": '#include "localcloud/s3/put.h"\n',
        "localcloud/s3/pipe.cc": '#include "pipeline/plan.h"\n',
        "runtime/env.cc": 'auto* region = std::getenv("AWS_REGION");\n',
        "decoder/env.cc": "execve(path, argv, environ);\n",
        "app/bootstrap/cloud.cc": '#include "localcloud/context.h"\n',
        "app/bootstrap/CMakeLists.txt": "imgproc_program(bootstrap USES aws localcloud_s3)\n",
        "base/gone.cc": '#include "base/no_such_file.h"\n',
        "helpers/x.h": "#pragma once\n",
    }
    targets = {"http/client.h": "", "protocol/x.h": "", "pipeline/plan.h": ""}
    failures = []
    with tempfile.TemporaryDirectory() as temp:
        def messages_of(files):
            root = pathlib.Path(tempfile.mkdtemp(dir=temp))
            for name, text in files.items():
                path = root / "src" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check(root)[1]
        if found := messages_of(clean):
            failures.append(f"the clean tree is refused: {found}")
        for name, text in breaches.items():
            found = messages_of(clean | targets | {name: text})
            if len(found) != 1 or name not in found[0]:
                failures.append(f"the breach in {name} gives {found}")
    return rule.report_self_test("check_layers", len(breaches) + 1, failures)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    files, messages = check(root)
    for message in messages:
        print(message)
    print(f"check_layers: {len(files)} files, {len(messages)} breaches")
    return 1 if messages or not files else 0


if __name__ == "__main__":
    sys.exit(main())
