"""Google's Vertex AI."""

from .provider import VertexProvider as VertexProvider
