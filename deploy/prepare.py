"""Entry point of `make`: refuses a Python that is too old, then calls environment.py.

Any Python since 2.7 can parse it, so that an old one prints a clear line instead of a SyntaxError.
"""

import sys

OLDEST = (3, 11)


def main():
    # type: () -> int
    if sys.version_info[:2] < OLDEST:
        sys.stderr.write(
            "voipbin-ws needs Python 3.11 or newer, and %s is %d.%d: install one (Debian 12: apt-get install "
            "python3 python3-venv), or name one that you have: PYTHON=python3.12 make run\n"
            % (sys.executable, sys.version_info[0], sys.version_info[1])
        )
        return 1
    try:
        from deploy import environment
    except ImportError as missing:
        sys.stderr.write(
            "voipbin-ws needs the whole of Python's standard library, and %s lacks a part of it (%s): "
            "install it (Debian: apt-get install python3-venv), then run make again\n"
            % (sys.executable, missing)
        )
        return 1
    return environment.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
