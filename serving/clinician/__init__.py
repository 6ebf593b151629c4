"""The pages for people: the clinician's worklist and persons, the leader's aggregates. Server-rendered, by the API's rules."""
