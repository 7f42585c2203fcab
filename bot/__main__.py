"""`python -m bot`: the same as the console script `vistnyk`."""

from bot.cli import main

if __name__ == "__main__":
    main()
