"""The program that `core.pdf` starts to make a PDF, its layout and its typeface."""
