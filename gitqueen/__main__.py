"""`python -m gitqueen`: the front door, for processes that know the interpreter and not the PATH."""

from gitqueen.cli.main import main

if __name__ == "__main__":
    main()
