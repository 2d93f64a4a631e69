"""`python -m fairlead`."""

from .cli import main

main()
