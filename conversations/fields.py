"""A text field for ids."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class IdField(models.CharField):
    """Compared byte by byte on every database: MySQL's collations take `oAbC` and `oabc` for one
    customer.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        return (
            {**parameters, "collation": "utf8mb4_bin"}
            if connection.vendor == "mysql"
            else parameters
        )
