"""Blind votes of people between pairs of candidates: a local web page, storage of the votes, and their result."""

from vsr_lab.workflows.vote.results import count_votes
from vsr_lab.workflows.vote.server import VoteServer
from vsr_lab.workflows.vote.store import Ballot, Trial, Vote, VoteStore
