"""Events that a caller with `lambda:InvokeFunction` may send: accepted, refused and malformed ones."""

from typing import Any

CODE = "os.abort"  # what Zappa's handler would call; it ends the process
CONTEXT = {"stage": "staging", "requestId": "request-of-a-test", "identity": {"sourceIp": "192.0.2.7"}}


def rest_event(path: str = "/", host: str = "api.example", **headers: str) -> dict[str, Any]:
    """Return what a REST API sends (payload version 1.0)."""
    every = {"Host": host, **headers}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": every,
        "multiValueHeaders": {name: [value] for name, value in every.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": CONTEXT,
        "body": None,
        "isBase64Encoded": False,
    }


def url_event(path: str = "/", host: str = "api.example") -> dict[str, Any]:
    """Return what an HTTP API or a function URL sends (payload version 2.0)."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": host},
        "requestContext": {
            "requestId": "request-of-a-test",
            "http": {"method": "GET", "path": path, "sourceIp": "192.0.2.7"},
        },
        "isBase64Encoded": False,
    }


REST, URL = rest_event(), url_event()
_HTTP = URL["requestContext"]


def trigger_event(source: str, **changed: Any) -> dict[str, Any]:
    """Return what Cognito sends before it issues a token."""
    return {
        "version": "1",
        "triggerSource": source,
        "userName": "11111111-1111-4111-8111-111111111111",
        "request": {"userAttributes": {"email": "jane@austintexas.gov"}},
        "response": {},
        **changed,
    }


# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
TRIGGERS = (
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_Authentication",
    "TokenGeneration_HostedAuth",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_RefreshTokens",
)
OTHER_TRIGGERS = ("CustomSMSSender_Authentication", "TokenGeneration_ClientCredentials")

ARN = "arn:aws:sqs:us-east-1:123456789012:queue"
RECORDS = {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": ARN, "body": "{}"}]}
REFUSED: dict[str, Any] = {
    "records": RECORDS,
    "a schedule": {"detail-type": "Scheduled Event", "resources": [f"{ARN}:rule/x-{CODE}"]},
    "an authorizer": {"type": "TOKEN", "authorizationToken": "x", "methodArn": ARN},
    "an authorizer of an HTTP API": {**URL, "type": "REQUEST", "routeArn": ARN},
    "a load balancer": {**REST, "requestContext": {"elb": {"targetGroupArn": ARN}}},
    "a raw command": {"raw_command": f"import os; {CODE}()"},
    "a trigger and a command": {"triggerSource": "x", "command": CODE},
    "a trigger whose source is no text": {"triggerSource": ["TokenGeneration_Authentication"]},
    "a command of Django's and another": {"manage": "check", "raw_command": f"import os; {CODE}()"},
    "nothing": {},
    "no object": None,
    **{f"Cognito's {source}": trigger_event(source) for source in OTHER_TRIGGERS},
}

COMMANDS = (
    "check",
    "migrate",
    "migrate --noinput --fake-initial",
    "showmigrations",
    "create_first_admin jane@austintexas.gov Jane Doe",
    "create_first_admin --smoke smoke@austintexas.gov zoë@austintexas.gov Zoë Ann O'Neill",
    "reconcile_users",
    "reconcile_users --fix --json",
    "reconcile_users --only jane@austintexas.gov joe@austintexas.gov --json",
    "reconcile_users --rotate-key",
)
REFUSED_COMMANDS: tuple[Any, ...] = (
    "shell -c print(1)",
    "check --deploy",
    "check --settings=os",
    "migrate users zero",
    "migrate --noinput=1",
    "showmigrations --plan",
    "create_first_admin",
    "create_first_admin Jane Doe",
    "create_first_admin jane@austintexas.gov Jane --pythonpath=/tmp",
    "reconcile_users --only",
    "reconcile_users --only --fix",
    "reconcile_users jane@austintexas.gov",
    "",
    None,
    {"check": ""},
)

HALF = "\ud800"  # of a character
# Each with the member that the answer must name.
MALFORMED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"httpMethod": "GET"}, "path"),
    ({**REST, "path": 1}, "path"),
    (url_event(f"/{HALF}"), "rawPath"),
    ({**REST, "httpMethod": "GET\r\nX: y"}, "httpMethod"),
    ({**REST, "headers": ["Host"]}, "headers"),
    ({**REST, "headers": {"Host": 1}}, "headers"),
    ({**REST, "headers": {"A\r\nB": "c"}}, "headers"),
    (rest_event(Origin="https://moped.austinmobility.io\n"), "headers"),
    (rest_event(Accept=HALF), "headers"),
    ({**REST, "multiValueHeaders": {"A": "b"}}, "multiValueHeaders"),
    ({**URL, "cookies": "a=b"}, "cookies"),
    ({**URL, "cookies": ["a=b\r\n"]}, "cookies"),
    ({**URL, "rawQueryString": HALF}, "rawQueryString"),
    ({**REST, "multiValueQueryStringParameters": {"a": "b"}}, "multiValueQueryStringParameters"),
    ({**REST, "httpMethod": "POST", "body": HALF}, "body"),
    ({**URL, "body": "a", "isBase64Encoded": True}, "body"),
    ({**REST, "isBase64Encoded": "yes"}, "isBase64Encoded"),
    ({**REST, "requestContext": None}, "requestContext"),
    ({**URL, "requestContext": {"http": {}}}, "method"),
    ({**REST, "requestContext": {"identity": "192.0.2.7"}}, "requestContext.identity"),
    ({**REST, "requestContext": {"identity": {"sourceIp": []}}}, "requestContext.identity.sourceIp"),
    ({**URL, "requestContext": {**_HTTP, "stage": 1}}, "stage"),
    ({**REST, "requestContext": {"requestId": 1}}, "requestId"),
)

# Unusual requests, which Django answers.
UNUSUAL: tuple[dict[str, Any], ...] = (
    {**REST, "command": CODE, "raw_command": f"import os; {CODE}()"},
    {**URL, **RECORDS},
    {**REST, "requestContext": {"requestId": "x\r\nSet-Cookie: a=b"}},
    {**REST, "headers": None, "multiValueHeaders": None},
    {"httpMethod": "GET", "path": "/", "headers": {"Host": "api.example"}},
    rest_event(""),
    rest_event("/%ff%fe"),
    rest_event("/auth/current_user", Cookie="a=中; moped_id_token=ü"),
    rest_event(host="中.example"),
    {**REST, "httpMethod": "BREW"},
    {**URL, "rawQueryString": "&&=%ff&a=%00&中=é"},
    rest_event(**{"X-Forwarded-Port": "eighty", "X-Forwarded-Proto": "gopher"}),
)
