"""The Flask API's `current_user`, the way its repository writes it."""

import json
import os

import boto3
from flask import Flask, jsonify
from flask_cognito import CognitoAuth, cognito_auth_required, current_cognito_jwt
from flask_cors import CORS

HASURA = "https://hasura.io/jwt/claims"

app = Flask(__name__)
app.config.update(
    COGNITO_REGION="us-east-1",
    COGNITO_USERPOOL_ID=os.environ["COGNITO_USERPOOL_ID"],
    COGNITO_APP_CLIENT_ID=os.environ["COGNITO_APP_CLIENT_ID"],
    COGNITO_CHECK_TOKEN_EXPIRATION=True,
    COGNITO_JWT_HEADER_NAME="Authorization",
    COGNITO_JWT_HEADER_PREFIX="Bearer",
)
CORS(app)
cognito = CognitoAuth(app)
# The API's own modules make their clients while they are imported.
dynamodb = boto3.client("dynamodb", region_name="us-east-1")


@app.route("/auth/current_user")
@cognito_auth_required
def current_user():
    """Answer who is calling."""
    token = dict(current_cognito_jwt)
    return jsonify(
        {
            "cognito:username": token["cognito:username"],
            "email": token["email"],
            "hasura_claims": json.loads(token[HASURA]),
            "decrypted_jwt": token,
        }
    )
