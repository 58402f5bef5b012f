"""Blind preference between pairs of candidates: a local page, its votes, and what they show."""

from vsr_lab.workflows.vote.results import count_votes
from vsr_lab.workflows.vote.server import VoteServer
from vsr_lab.workflows.vote.store import Ballot, Trial, Vote, VoteStore
