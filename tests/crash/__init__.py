"""The crash harness: kill -9 of agent and desk, and the books of both checked after it.

    python -m tests.crash --kills 1000 --cold 50     what `make crash` does
    python -m tests.crash --part                     what CI does
    python -m tests.crash --scenario NAME            one way of dying, on its own

Nothing here knows the code that it tests but by its command line, its HTTP and its two SQLite files. docs/crash.md says
what is killed, what is checked, and how to look at a round that failed.
"""
