"""The chain reader (接龙): pasted text and a product list to orders, and orders back to text. Pure."""

from .model import Contact, Evidence, LineRead, OrderRead, Product, Question, Reading
from .reader import read_chain
from .write import ChainEntry, write_chain

__all__ = [
    "ChainEntry",
    "Contact",
    "Evidence",
    "LineRead",
    "OrderRead",
    "Product",
    "Question",
    "Reading",
    "read_chain",
    "write_chain",
]
