"""What applications hold: the outermost object, and the functions that build and share it."""

from .chat import ChatCompletionRequest as ChatCompletionRequest
from .chat import ChatCompletionResponse as ChatCompletionResponse
from .opening import open_provider as open_provider
from .provider import Provider as Provider
from .provider_factory import ProviderFactory as ProviderFactory
from .provider_factory import create_provider as create_provider
from .provider_manager import ProviderManager as ProviderManager
from .registry import ProviderRegistry as ProviderRegistry
from .shared import acomplete as acomplete
from .shared import aembed as aembed
from .shared import complete as complete
from .shared import embed as embed
from .shared import get_provider as get_provider
from .shared import reset_provider_cache as reset_provider_cache
