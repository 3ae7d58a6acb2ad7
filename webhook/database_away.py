"""Which errors mean that the database cannot be reached or has no room now, so that another try may
succeed.

Both drivers call nearly everything an OperationalError: a server that is gone, and a row that it
will never take.
"""

from __future__ import annotations

import sqlite3

from django.db import InterfaceError, OperationalError

# Of libmysqlclient itself: no connection, a connection that broke, no answer in time.
_CLIENT_ERRORS = range(2000, 3000)
_SERVER_ERRORS = frozenset(
    {
        *(1021, 1030, 1037, 1038, 1041, 1114, 1180, 1181),  # no disk, no memory, the engine failed
        *(1040, 1129, 1130, 1203, 1226),  # too many connections, or none for us
        *(1042, 1043, 1044, 1045, 1047, 1049),  # being set up, or its users are changed
        *(1053, 1077, 1079, 1080, 1105),  # going down
        *(
            1152,
            1154,
            1155,
            1156,
            1157,
            1158,
            1159,
            1160,
            1161,
            1184,
        ),  # the connection broke, seen from there
        *(1205, 1213, 1637),  # somebody else's lock
        *(1290, 1792, 1836),  # read-only: a backup, a replica that is not yet in charge
        *(1317, 1927, 1969, 3024, 3169, 4031),  # killed, or out of its time
    }
)
# Locked by another, no disk, no right to write: as with a server, nothing was stored, and WeChat
# comes again.
_SQLITE_ERRORS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
)


def is_away(error: OperationalError | InterfaceError) -> bool:
    """False: the fault lies in what was to be written, and the same would fail again."""
    if isinstance(error, InterfaceError):
        return True
    sqlite_code = getattr(error.__cause__, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _SQLITE_ERRORS  # The higher bits say what exactly.
    number = error.args[0] if error.args else None
    if not isinstance(number, int):
        return True
    return number in _CLIENT_ERRORS or number in _SERVER_ERRORS
