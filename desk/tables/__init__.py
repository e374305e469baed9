"""The tables of version 3 of the desk's file, one module for what each part of the desk keeps.

Each has `STATEMENTS`: plain SQL, statements ended by `;` and a new line, `STRICT` tables.
"""
