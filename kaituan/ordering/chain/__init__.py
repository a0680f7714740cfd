"""The chain reader (接龙): pasted text and a product list to orders, and orders back to text. Pure."""

from .answers import Answer, answers_to
from .model import Contact, Evidence, LineRead, OrderRead, Product, Question, Reading
from .reader import read_chain
from .write import ChainEntry, write_chain

__all__ = [
    "Answer",
    "ChainEntry",
    "Contact",
    "Evidence",
    "LineRead",
    "OrderRead",
    "Product",
    "Question",
    "Reading",
    "answers_to",
    "read_chain",
    "write_chain",
]
