"""Why the tests could not be run: no verdict on the program."""


class Fault(Exception):
    """A sentence for whoever started the tests: what is wrong, and what to do."""
