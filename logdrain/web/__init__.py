"""The aiohttp application: every route in application.py; handlers are thin."""
