"""Events that a caller with `lambda:InvokeFunction` may send: accepted, refused and malformed ones."""

from __future__ import annotations

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
OTHER_TRIGGERS = (
    "CustomSMSSender_Authentication",
    "PreSignUp_SignUp",
    "TokenGeneration_ClientCredentials",
    "UserMigration_Authentication",
)

ARN = "arn:aws:{}:us-east-1:123456789012:{}"
REFUSED: dict[str, Any] = {
    "S3": {"Records": [{"s3": {"configurationId": f"x:{CODE}", "bucket": {"arn": "arn:aws:s3:::b"}}}]},
    "SQS": {
        "Records": [{"eventSource": "aws:sqs", "eventSourceARN": ARN.format("sqs", "queue"), "body": "{}"}]
    },
    "DynamoDB": {"Records": [{"dynamodb": {}, "eventSourceARN": ARN.format("dynamodb", "table/t/stream/s")}]},
    "a schedule": {"detail-type": "Scheduled Event", "resources": [f"{ARN}:rule/x-{CODE}"]},
    "EventBridge": {"version": "0", "detail-type": "EC2 Instance State-change Notification", "detail": {}},
    "an authorizer": {"type": "TOKEN", "authorizationToken": "x", "methodArn": ARN},
    "an authorizer of requests": {**rest_event(), "type": "REQUEST", "methodArn": ARN},
    "an authorizer of an HTTP API": {**url_event(), "type": "REQUEST", "routeArn": ARN},
    "a WebSocket": {"requestContext": {"eventType": "MESSAGE", "domainName": "d", "routeKey": "$default"}},
    "a load balancer": {**rest_event(), "requestContext": {"elb": {"targetGroupArn": ARN}}},
    "a raw command": {"raw_command": f"import os; {CODE}()"},
    "stage variables alone": {"stageVariables": {"PATH": "/tmp"}},  # noqa: S108 (never used)
    "a trigger and a command": {"triggerSource": "x", "command": CODE},
    "a trigger whose source is no text": {"triggerSource": ["TokenGeneration_Authentication"]},
    "a command of Django's and another": {"manage": "check", "raw_command": f"import os; {CODE}()"},
    "nothing": {},
    "no object": None,
    "a list": [rest_event()],
    **{f"Cognito's {source}": trigger_event(source) for source in OTHER_TRIGGERS},
}

COMMANDS = (
    "check",
    "migrate",
    "migrate --noinput",
    "migrate --noinput --fake-initial",
    "showmigrations",
    "create_first_admin jane@austintexas.gov Jane Doe",
    "create_first_admin --smoke smoke@austintexas.gov zoë@austintexas.gov Zoë Ann O'Neill",
    "reconcile_users",
    "reconcile_users --json",
    "reconcile_users --fix --json",
    "reconcile_users --only jane@austintexas.gov joe@austintexas.gov --json",
    "reconcile_users --rotate-key",
)
REFUSED_COMMANDS: tuple[Any, ...] = (
    "shell -c print(1)",
    "runserver",
    "flush --noinput",
    "sqlflush",
    "dbshell",
    "openapi",
    "explain_token",
    "check --deploy",
    "check --settings=os",
    "check --pythonpath /tmp",
    "check -h",
    "check --help",
    "migrate users zero",
    "migrate --fake",
    "migrate --no",
    "migrate --noinput=1",
    "migrate --database default",
    "showmigrations --plan",
    "create_first_admin",
    "create_first_admin jane@austintexas.gov",
    "create_first_admin Jane Doe",
    "create_first_admin jane@austintexas.gov Jane --pythonpath=/tmp",
    "create_first_admin --settings=os jane@austintexas.gov Jane Doe",
    "reconcile_users --grace 0",
    "reconcile_users --js",
    "reconcile_users --only",
    "reconcile_users --only --fix",
    "reconcile_users --only=jane@austintexas.gov",
    "reconcile_users jane@austintexas.gov",
    "reconcile_users --",
    "apps.users",
    "",
    " ",
    "\x00",
    None,
    [],
    ["check"],
    {"check": ""},
    0,
)

_URL_CONTEXT = url_event()["requestContext"]
# Each with the member that the answer must name.
MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no path": ({"httpMethod": "GET"}, "path"),
    "a path that is a number": ({**rest_event(), "path": 1}, "path"),
    "a raw path that is half a character": (url_event("/\udfff"), "rawPath"),
    "a method that is empty": ({**rest_event(), "httpMethod": ""}, "httpMethod"),
    "a method on two lines": ({**rest_event(), "httpMethod": "GET\r\nX: y"}, "httpMethod"),
    "headers that are a list": ({**rest_event(), "headers": ["Host"]}, "headers"),
    "headers that are nothing": ({**url_event(), "headers": None}, "headers"),
    "a header that is a number": ({**rest_event(), "headers": {"Host": 1}}, "headers"),
    "a header that ends in a line": (rest_event(Origin="https://moped.austinmobility.io\n"), "headers"),
    "a header whose name is two lines": ({**rest_event(), "headers": {"A\r\nB": "c"}}, "headers"),
    "a header without a name": ({**url_event(), "headers": {"": "c"}}, "headers"),
    "a header that is half a character": (rest_event(Accept="\ud800"), "headers"),
    "lists of headers that are texts": (
        {**rest_event(), "multiValueHeaders": {"A": "b"}},
        "multiValueHeaders",
    ),
    "cookies that are a text": ({**url_event(), "cookies": "a=b"}, "cookies"),
    "a cookie on two lines": ({**url_event(), "cookies": ["a=b\r\n"]}, "cookies"),
    "a query that is half a character": ({**url_event(), "rawQueryString": "\ud800"}, "rawQueryString"),
    "queries that are no lists": (
        {**rest_event(), "multiValueQueryStringParameters": {"a": "b"}},
        "multiValueQueryStringParameters",
    ),
    "a body that is half a character": ({**rest_event(), "httpMethod": "POST", "body": "\ud800"}, "body"),
    "a body that is no base64": ({**rest_event(), "body": "é", "isBase64Encoded": True}, "body"),
    "a body that is half of base64": (
        {**url_event(), "body": "a", "isBase64Encoded": True},
        "body",
    ),
    "base64 that is perhaps": ({**rest_event(), "isBase64Encoded": "yes"}, "isBase64Encoded"),
    "a context that is nothing": ({**rest_event(), "requestContext": None}, "requestContext"),
    "a context without a method": ({**url_event(), "requestContext": {"http": {}}}, "method"),
    "an identity that is a text": (
        {**rest_event(), "requestContext": {"identity": "192.0.2.7"}},
        "requestContext.identity",
    ),
    "an address that is a list": (
        {**rest_event(), "requestContext": {"identity": {"sourceIp": []}}},
        "requestContext.identity.sourceIp",
    ),
    "a stage that is a number": ({**url_event(), "requestContext": {**_URL_CONTEXT, "stage": 1}}, "stage"),
    "a request id that is a number": ({**rest_event(), "requestContext": {"requestId": 1}}, "requestId"),
}

# What is unusual and a request all the same: answered by Django.
UNUSUAL: dict[str, dict[str, Any]] = {
    "stage variables": {**rest_event(), "stageVariables": {"MOPED_TEST_VARIABLE": "set"}},
    "stage variables of an HTTP API": {**url_event(), "stageVariables": {"MOPED_TEST_VARIABLE": "set"}},
    "a command beside the request": {**rest_event(), "command": CODE, "raw_command": f"import os; {CODE}()"},
    "Records beside the request": {**url_event(), **REFUSED["S3"]},
    "a request id on two lines": {**rest_event(), "requestContext": {"requestId": "x\r\nSet-Cookie: a=b"}},
    "a request id that is very long": {**rest_event(), "requestContext": {"requestId": "x" * 10_000}},
    "a request id on two lines, by URL": {
        **url_event(),
        "requestContext": {**_URL_CONTEXT, "requestId": "x\r\nSet-Cookie: a=b"},
    },
    "no headers": {**rest_event(), "headers": None, "multiValueHeaders": None},
    "no context": {"httpMethod": "GET", "path": "/", "headers": {"Host": "api.example"}},
    "an authorizer's word": {**rest_event(), "requestContext": {"authorizer": ["principalId"]}},
    "an empty path": rest_event(""),
    "a path of many slashes": rest_event("//////auth//"),
    "a path that is no UTF-8": rest_event("/%ff%fe"),
    "a cookie that is no ASCII": rest_event("/auth/current_user", Cookie="a=中; moped_id_token=ü"),
    "a host that is no ASCII": rest_event(host="中.example"),
    "an unknown method": {**rest_event(), "httpMethod": "BREW"},
    "a query that is odd": {**url_event(), "rawQueryString": "&&=%ff&a=%00&中=é"},
    "a port that is not a number": rest_event(
        **{"X-Forwarded-Port": "eighty", "X-Forwarded-Proto": "gopher"}
    ),
}
