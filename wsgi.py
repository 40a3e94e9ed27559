"""WSGI entry for any server: ``gunicorn wsgi:application``, ``waitress-serve wsgi:application``."""

from app.bootstrap import make_web
from app.settings import load

application = make_web(load())
