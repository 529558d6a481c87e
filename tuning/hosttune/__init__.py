"""What a host needs for Millstream: reads, judges, and changes only what is asked.

settings.py is the table of all settings; readers.py and host.py read them, rules.py and judge.py
decide, changes.py applies and undoes, measure.py measures, show.py and cli.py talk to the user.
"""
