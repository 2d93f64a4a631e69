"""What is known of the vendors' models: so far, what they cost."""

from .book import Catalogue as Catalogue
from .genai import GenaiPrices as GenaiPrices
from .own import OwnPrices as OwnPrices
