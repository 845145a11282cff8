"""Make a user of a deployed stack, with a token at once: ``python -m tools.user STAGE EMAIL [OPTION…]``.

Run in SAM's environment, which has boto3. ``PASSWORD`` in the environment is the password; without it one is made. What
it prints is for the shell: ``eval "$(make user EMAIL=…)"`` sets what OpenAI's SDKs read.
"""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools import deployment
from tools.environment import say

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoUser(Exception):
    """The user could not be made or signed in; the message says why."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The user pool of a stack.

    Parameters
    ----------
    cognito
        boto3's client.
    pool_id, client_id
        Of the pool and its app client.
    """

    cognito: Any
    pool_id: str
    client_id: str

    def create(self, email: str, password: str) -> bool:
        """Create a user who may sign in with the password at once; False if the email's user is there already.

        Raises
        ------
        NoUser
            If the pool does not take the password; then there is no user.
        """
        named = {"UserPoolId": self.pool_id, "Username": email}
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        try:
            self.cognito.admin_create_user(**named, UserAttributes=attributes, MessageAction="SUPPRESS")
        except self.cognito.exceptions.UsernameExistsException:
            return False
        try:
            self.cognito.admin_set_user_password(**named, Password=password, Permanent=True)
        except self.cognito.exceptions.ClientError as refused:
            self.cognito.admin_delete_user(**named)
            message = f"The pool does not take the password: {refused.response['Error']['Message']}"
            raise NoUser(message) from None
        return True

    def token(self, email: str, password: str) -> str:
        """Get the user's ID token.

        Raises
        ------
        NoUser
            If the password is not the user's.
        """
        try:
            answer = self.cognito.admin_initiate_auth(
                UserPoolId=self.pool_id,
                ClientId=self.client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        except self.cognito.exceptions.NotAuthorizedException:
            message = f"{email} is a user already, with another password."
            raise NoUser(message) from None
        if "AuthenticationResult" not in answer:
            message = f"{email} is a user already, and has to answer {answer.get('ChallengeName')} first."
            raise NoUser(message)
        token: str = answer["AuthenticationResult"]["IdToken"]
        return token


def make(stack_name: str, email: str, session: Any) -> Mapping[str, str]:
    """Make a user of a stack, or sign in one who is there, and return what OpenAI's SDKs read from the environment.

    Raises
    ------
    NoUser
        If that is not possible.
    """
    outputs = deployment.outputs(session, stack_name)
    pool = Pool(session.client("cognito-idp"), outputs["UserPoolId"], outputs["ClientId"])
    given = os.environ.get("PASSWORD")
    password = given or f"Aa1-{secrets.token_urlsafe(18)}"
    if pool.create(email, password):
        say(f"{email} is a user of {stack_name} now{'' if given else f'; the password, told only here: {password}'}")
    elif not given:
        message = f"{email} is a user of {stack_name} already; PASSWORD=… in the environment signs in."
        raise NoUser(message)
    token = pool.token(email, password)
    say("The token below, OPENAI_API_KEY, is good for an hour.")
    return {"OPENAI_BASE_URL": outputs["ApiUrl"], "OPENAI_API_KEY": token}


def main() -> int:
    """Run the command line."""
    from botocore.exceptions import BotoCoreError, ClientError

    if len(sys.argv) < 3:
        say("usage: python -m tools.user STAGE EMAIL [OPTION…]")
        return 2
    stage, email, *options = sys.argv[1:]
    try:
        target = deployment.read(stage, options)
        variables = make(target.stack_name, email, target.session())
    except deployment.WrongOptions:
        return 2
    except (NoUser, BotoCoreError, ClientError) as failed:
        say(str(failed))
        return 1
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
