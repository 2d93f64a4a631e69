"""What is known of the vendors' models: what they cost, what they take, what they can do."""

from .book import Catalogue as Catalogue
from .genai import GenaiPrices as GenaiPrices
from .own import OwnPrices as OwnPrices
from .own_models import OwnModels as OwnModels
