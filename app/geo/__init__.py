"""Geography: coordinates as Wallet and maps mean them, and distances on the globe.

Pure; knows no venue, no member and no database.
"""
