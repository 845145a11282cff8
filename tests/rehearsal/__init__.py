"""`make rehearse`: the stock SAM CLI deploys the built stack to an AWS on this machine, as the README has it."""
