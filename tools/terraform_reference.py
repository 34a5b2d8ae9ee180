#!/usr/bin/env python3
"""Writes docs/terraform-reference.md from the variables and outputs of terraform/.

Usage: terraform_reference.py [--check]     --check writes nothing and fails if the page is stale.

Reads formatted files only (terraform fmt): a block begins at the first column, its attributes at
the third. Anything else is an error, never a gap in the page.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULE = ROOT / "terraform/modules/image-pipeline"
PAGE = ROOT / "docs/terraform-reference.md"
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}$', re.M | re.S)
SECTION = re.compile(r"^# --- (.*?) -+$", re.M)


def attribute(body, name):
    """The text of an attribute of a block, with its continuation lines less their indent."""
    found = re.search(rf"^  {name}\s*= (.*(?:\n(?:    .*|  [\])}}].*))*)", body, re.M)
    return re.sub(r"^  ", "", found.group(1), flags=re.M) if found else None


def unquote(text):
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def blocks(path, kind):
    """Yields (section, name, body) in the order of the file."""
    text = path.read_text("utf-8")
    sections = [(m.start(), m.group(1)) for m in SECTION.finditer(text)]
    names = re.findall(rf'^{kind} "(\w+)"', text, re.M)
    seen = []
    for block in BLOCK.finditer(text):
        if block.group(1) != kind:
            continue
        section = [title for start, title in sections if start < block.start()]
        seen.append(block.group(2))
        yield (section[-1] if section else None), block.group(2), block.group(3)
    if seen != names:
        raise SystemExit(f"{path}: {kind} blocks could not be read; run terraform fmt")


def variable_text(name, body):
    description, kind = attribute(body, "description"), attribute(body, "type")
    if not description or not kind:
        raise SystemExit(f"variable {name} lacks a description or a type")
    default = attribute(body, "default")
    yield f"### `{name}`"
    yield ""
    yield unquote(description)
    yield ""
    if "\n" in kind:
        yield "Type:"
        yield ""
        yield "```hcl"
        yield kind
        yield "```"
    else:
        yield f"Type `{kind}`. " + (
            "Required." if default is None
            else f"Default `{default}`." if "\n" not in default else "Default below.")
    if default and "\n" in kind and "\n" not in default:
        yield ""
        yield f"Default `{default}`."
    if default and "\n" in default:
        yield ""
        yield "Default:"
        yield ""
        yield "```hcl"
        yield default
        yield "```"
    rules = [unquote(m) for m in re.findall(r'^    error_message = (".*")$', body, re.M)]
    if rules:
        yield ""
        yield from (f"- {rule}" for rule in rules)
    yield ""


def page():
    yield "# Terraform reference"
    yield ""
    yield "Written by `tools/terraform_reference.py` from `terraform/`; change it there."
    yield ""
    yield "`terraform/` is the guide's deployment. It takes the variables of the next table and"
    yield "passes them to the module `terraform/modules/image-pipeline`, whose variables and"
    yield "outputs follow; null leaves a value to the module. [deploy.md](deploy.md) tells how to"
    yield "use both."
    yield ""
    yield "## The guide's deployment"
    yield ""
    yield "| variable | default | is |"
    yield "|---|---|---|"
    for _, name, body in blocks(ROOT / "terraform/variables.tf", "variable"):
        default = attribute(body, "default")
        description = unquote(attribute(body, "description"))
        yield f"| `{name}` | `{default}` | {description} |"
    yield ""
    outputs = [n for _, n, _ in blocks(ROOT / "terraform/outputs.tf", "output")]
    yield "Outputs: " + ", ".join(f"`{n}`" for n in outputs) + "."
    yield ""
    yield "## The module"
    yield ""
    last = None
    for section, name, body in blocks(MODULE / "variables.tf", "variable"):
        if section and section != last:
            yield f"## {section}"
            yield ""
            last = section
        yield from variable_text(name, body)
    yield "## Outputs"
    yield ""
    yield "| output | is |"
    yield "|---|---|"
    for _, name, body in blocks(MODULE / "outputs.tf", "output"):
        yield f"| `{name}` | {unquote(attribute(body, 'description'))} |"


def main():
    text = "\n".join(page()) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            print(f"{PAGE.relative_to(ROOT)} is stale: run tools/terraform_reference.py")
            return 1
        return 0
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
