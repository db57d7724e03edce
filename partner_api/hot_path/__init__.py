"""What every call passes through, and the two answers that software asks for most.

Search and documents are called millions of times a day, so this sub-package leaves out what Django
REST framework would do for each call. docs/adr/0020-hot-path.md lists each trick, what it saves and
the line of the bench that shows it. Everything else of `partner_api` is ordinary Django REST
framework.
"""
