"""Secrets in the database: encrypted at rest, and write-only in forms. What is stored is never
rendered again.

A model that declares `SecretField` needs nothing more: its forms, the admin's too, show 「已设置」
or 「未设置」; an empty input keeps what is stored; a box clears it where the field may be blank.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from encrypted_fields.fields import EncryptedCharField, EncryptedFieldMixin
from unfold.widgets import INPUT_CLASSES

logger = logging.getLogger(__name__)

CLEAR: Final = object()

# Deriving a key takes 100,000 rounds: once per process, not once per field.
_ciphers: dict[tuple[str, ...], Fernet | MultiFernet] = {}


class UnreadableSecret(str):
    """Empty to all who use it, but remembers what is stored: saving its row must not lose the
    secret.
    """

    stored: str

    @classmethod
    def keeping(cls, stored: str) -> UnreadableSecret:
        unreadable = cls("")
        unreadable.stored = stored
        return unreadable


class SecretField(EncryptedCharField):
    """A text encrypted at rest.

    Differs from its base in three ways: it may be blank (the base stores NULL), it decrypts only
    what comes from the database (the base leaves that out while any thread validates a form), and a
    text that the present keys cannot decrypt reads as empty instead of as its own cipher text.
    """

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: object) -> str: ...
        def __set__(self, instance: object, value: str) -> None: ...

    @property
    def f(self) -> Fernet | MultiFernet:
        which = (
            settings.SECRET_KEY,
            *getattr(settings, "SECRET_KEY_FALLBACKS", ()),
            *settings.SALT_KEY,
        )
        if which not in _ciphers:
            self.__dict__.pop(
                "keys", None
            )  # The library's copy, of keys that may not be the present ones.
            _ciphers[which] = super().f
        return _ciphers[which]

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, UnreadableSecret):
            return value.stored
        return super().get_prep_value(value) or ""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str:
        if not value:
            return ""
        try:
            return self.f.decrypt(value.encode()).decode()
        except InvalidToken:
            logger.error(
                "%s cannot be decrypted: SECRET_KEY or SALT_KEY is not the one it was saved with",
                self,
            )
            return UnreadableSecret.keeping(value)

    def to_python(self, value: Any) -> Any:
        return super(EncryptedFieldMixin, self).to_python(value)

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super(EncryptedFieldMixin, self).clean(value, model_instance)

    def value_from_object(self, obj: models.Model) -> bool:
        """What a form starts with: whether a secret is stored, never the secret."""
        return bool(getattr(obj, self.attname))

    def save_form_data(self, instance: models.Model, data: str | None) -> None:
        if data is not None:
            setattr(instance, self.name, data)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        kwargs.pop("widget", None)  # The admin's text input would show the value.
        return super().formfield(form_class=SecretFormField, **kwargs)


class SecretInput(forms.PasswordInput):
    """An input that is always empty, with a word on whether something is stored."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        classes = " ".join(INPUT_CLASSES)
        super().__init__(
            {
                "class": classes,
                "autocomplete": "new-password",
                "spellcheck": "false",
                **(attrs or {}),
            }
        )

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        is_set, is_locked = value is True, bool((attrs or {}).get("disabled"))
        hint = secret_state(is_set) if is_locked or not is_set else gettext("已设置，留空则不改")
        box = super().render(name, None, {**(attrs or {}), "placeholder": hint}, renderer)
        may_clear = is_set and not is_locked and not self.is_required
        return format_html("{}{}", box, self._clear_box(name) if may_clear else "")

    def _clear_box(self, name: str) -> SafeString:
        return format_html(
            '<label class="mt-2 flex items-center gap-2"><input type="checkbox" name="{}-clear"> '
            "{}</label>",
            name,
            gettext("清除已保存的值"),
        )

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        text = (data.get(name) or "").strip()
        return CLEAR if not text and data.get(f"{name}-clear") else text

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class SecretFormField(forms.CharField):
    widget = SecretInput

    def bound_data(self, data: Any, initial: Any) -> Any:
        """A form shown again after an error does not give back what was typed either."""
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and bool(data)

    def _clean_bound_field(self, bound: BoundField) -> str | None:
        """None keeps what is stored."""
        if self.disabled:
            return None
        if bound.data is CLEAR and not self.required:
            return ""
        if bound.data and bound.data is not CLEAR:
            return self.clean(bound.data)
        if self.required and not bound.initial:
            raise ValidationError(self.error_messages["required"], code="required")
        return None


class SecretsAdminMixin:
    """For a ModelAdmin with secrets: a read-only page would print them, so who may not change may
    not look.
    """

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.has_change_permission(request, obj)  # type: ignore[attr-defined]


def secret_state(value: object) -> str:
    """The one thing a page may say about a secret."""
    return gettext("已设置") if value else gettext("未设置")
