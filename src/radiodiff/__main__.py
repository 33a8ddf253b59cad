"""`python -m radiodiff`."""

from radiodiff.cli.main import main

if __name__ == "__main__":
    main()
