"""The application of the integration tests."""

from tests.integration.conftest import _services, app

__all__ = ["_services", "app"]
