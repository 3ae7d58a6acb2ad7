"""What staff may hand on: nobody gives, or takes over, more than they have themselves."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db.models import Q, QuerySet

# Rows of these are written by nobody: there is nothing to permit.
WITHOUT_PAGES = ("axes",)


def all_permissions() -> QuerySet[Permission]:
    return Permission.objects.exclude(content_type__app_label__in=WITHOUT_PAGES)


def permissions_of(user: User) -> set[int]:
    """Also of a user that is switched off: whoever may switch it on again has them at hand."""
    held = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return set(held.values_list("pk", flat=True))


def may_change_user(editor: User | AnonymousUser, target: User) -> bool:
    """A user who may set a password may log in with it."""
    if editor.is_superuser:
        return True
    if target.is_superuser or not isinstance(editor, User):
        return False
    return permissions_of(target) <= permissions_of(editor)


def may_change_group(editor: User | AnonymousUser, group: Group) -> bool:
    if editor.is_superuser:
        return True
    if not isinstance(editor, User):
        return False
    return _permissions_of_group(group) <= permissions_of(editor)


def permissions_to_give(editor: User | AnonymousUser) -> QuerySet[Permission]:
    if editor.is_superuser or not isinstance(editor, User):
        return all_permissions()
    return all_permissions().filter(pk__in=permissions_of(editor))


def groups_to_give(editor: User | AnonymousUser) -> QuerySet[Group]:
    groups = Group.objects.all()
    if editor.is_superuser or not isinstance(editor, User):
        return groups
    beyond = Permission.objects.exclude(pk__in=permissions_of(editor))
    return groups.exclude(permissions__in=beyond)


def _permissions_of_group(group: Group) -> set[int]:
    return set(group.permissions.values_list("pk", flat=True))
