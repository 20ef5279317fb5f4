"""Specs inferred from the curl example of an API page.

A command is split as a shell would (`shell`) and read as curl reads it (`curl`). Its values
and its URL get meanings (`roles`, `address`, `secrets`, `placeholders`) and become settings
(`settings`); the spec is written with the reason for each (`draft`).
"""
