"""What the packaging scripts ask of ELF files, by way of binutils' readelf."""
import collections
import re
import struct
import subprocess

MACHINES = {"x86_64": "Advanced Micro Devices X86-64", "arm64": "AArch64"}
LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}


# By e_machine: the relocation "the program's address plus the addend" (R_*_RELATIVE).
RELATIVE = {62: 8, 183: 1027}
PT_LOAD, SHT_RELA = 1, 4


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *map(str, arguments)], check=True,
                          capture_output=True, text=True).stdout


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def machine(path):
    return re.search(r"Machine: +(.*)", readelf("-h", path)).group(1).strip()


def needed(path):
    """File names of the shared libraries that the file asks for (DT_NEEDED)."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path))


def interpreter(path):
    found = re.search(r"program interpreter: (.*)\]", readelf("-l", path))
    return found.group(1) if found else None


def has_executable_stack(path):
    found = re.search(r"GNU_STACK.* (R?W?E?)\s+0x", readelf("-l", path))
    return bool(found) and "E" in found.group(1)


def versions(path):
    """Symbol versions asked for, as {"GLIBC": "2.34"}: the highest of each family."""
    text = readelf("-V", path).partition(".gnu.version_r")[2]
    highest = {}
    for family, version in re.findall(r"Name: ([A-Z]+)_([0-9.]+)", text):
        number = tuple(int(n) for n in version.split("."))
        highest[family] = max(highest.get(family, (0,)), number)
    return {family: ".".join(map(str, number)) for family, number in highest.items()}


def isa_levels(path):
    """x86-64 levels that the file declares itself to need ("x86-64-v3"), if any."""
    found = re.search(r"x86 ISA needed: (.*)", readelf("-n", path))
    return [level.strip() for level in found.group(1).split(",")] if found else []


Symbols = collections.namedtuple("Symbols", "needed defined")


def symbols(path):
    """Dynamic symbols as sets of (name, version), version "" where there is none. What is needed
    weakly is left out; what a program only copies from a library (COPY) counts as needed."""
    copied = set(re.findall(r"_COPY +\S+ +(\S+?)@", readelf("-r", path)))
    needed, defined = set(), set()
    # Num: Value Size Type Bind Visibility [other] Index Name@Version; @@ is the default version.
    row = re.compile(r" *\d+: \S+ +\S+ +\S+ +(\S+) +\S+ +(?:\[.*\] +)?(\S+) ([^\s@]+)(?:@+(\S+))?")
    for line in readelf("--dyn-syms", path).splitlines():
        found = row.match(line)
        if not found:
            continue
        binding, index, name, version = found.groups("")
        if index != "UND" and name not in copied:
            defined.add((name, version))
        elif binding != "WEAK":
            needed.add((name, version))
    return Symbols(needed, defined)


def blank_relocated(data):
    """The same file with zero wherever the loader writes an address anyway (R_*_RELATIVE with its
    addend in the table): linkers leave the addend there once more, which compresses badly.
    For 64-bit little-endian files; the layout is that of the ELF specification and elf.h."""
    machine_number, = struct.unpack_from("<H", data, 18)
    segments_at, sections_at = struct.unpack_from("<QQ", data, 32)
    segment_size, segments, section_size, sections = struct.unpack_from("<HHHH", data, 54)
    loaded = []
    for at in range(segments_at, segments_at + segments * segment_size, segment_size):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == PT_LOAD:
            loaded.append((address, offset, size))
    blanked = bytearray(data)
    for at in range(sections_at, sections_at + sections * section_size, section_size):
        _, kind, _, _, offset, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind != SHT_RELA:
            continue
        for place, info, _ in struct.iter_unpack("<QQq", data[offset:offset + size]):
            if info & 0xffffffff != RELATIVE[machine_number]:
                continue
            begin, in_file = next((a, o) for a, o, s in loaded if a <= place and place + 8 <= a + s)
            where = in_file + place - begin
            blanked[where:where + 8] = bytes(8)
    return bytes(blanked)
