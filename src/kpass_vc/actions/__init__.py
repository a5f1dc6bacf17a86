"""One file per verb.

An action is act(env, session, actor, order): it requires, reads, works, writes, and never commits.
"""
