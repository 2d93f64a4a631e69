"""
What fairlead costs, measured beside raw httpx and httpx2: `nox -s bench`.

`__main__` starts the servers, runs each probe in a process of its own, and prints the table;
`goals` says what is measured and what must be reached. During development:

    python -m tests.benchmarks --quick --only alone
"""
