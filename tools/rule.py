"""What the scripts that uphold a rule of the tree share: arguments, messages, exit status."""
import pathlib
import sys


def run(name, check, self_test):
    """Exit status of `name [ROOT]` and `name --self-test`; check(root) yields a text per breach."""
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else f"{__file__}/../..").resolve()
    messages = list(check(root))
    for message in messages:
        print(message)
    print(f"{name}: {len(messages)} breaches")
    return 1 if messages else 0


def report_self_test(name, cases, failures):
    """Prints how a self-test of so many cases ended, and gives its exit status."""
    for failure in failures:
        print(failure)
    print(f"{name} self-test: {cases - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0
