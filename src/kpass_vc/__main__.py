"""`python -m kpass_vc` runs the command line."""

from kpass_vc.cli import main

if __name__ == "__main__":
    main()
