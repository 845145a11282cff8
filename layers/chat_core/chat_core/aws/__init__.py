"""AWS's JSON APIs, called straight: what of AWS's SDK a service needs that asks for rows and secrets.

An operation is one POST of JSON, signed (AWS, "DynamoDB low-level API"; botocore's ``json`` protocol). AWS's SDK puts
a model of the whole service, rules of its endpoints and a dozen hooks around it, which cost more than the rest of a
cold start and a millisecond a call. Where credentials are not simply in the environment, its chain finds them, and
where there is a proxy, its HTTP goes through it.
"""

from chat_core.aws.client import TRIES, AwsClient, Service, connect
from chat_core.aws.connections import Answer, Connections, Sender
from chat_core.aws.credentials import Credentials
from chat_core.aws.endpoint import Endpoint
from chat_core.aws.failures import NoAnswer, NotSent, Refused

__all__ = [
    "TRIES",
    "Answer",
    "AwsClient",
    "Connections",
    "Credentials",
    "Endpoint",
    "NoAnswer",
    "NotSent",
    "Refused",
    "Sender",
    "Service",
    "connect",
]
