"""Tokens mean what they say and nothing more; nobody learns what they may not see."""
import base64
import json
import unittest
import urllib.parse

from support import settings
from support.registry import OCI_MANIFEST
from support.scenario import Scenario


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@unittest.skipIf(settings.foreign, "about our own tokens")
class Auth(Scenario):
    def setUp(self):
        super().setUp()
        self.admin = self.client()
        self.repository = f"{self.project}/app"
        self.digest = self.admin.push_image(self.repository, "1", b"layer")
        challenge = self.admin.raw("GET", "/v2/").headers["WWW-Authenticate"]
        self.realm = challenge.split('realm="')[1].split('"')[0]
        self.service = challenge.split('service="')[1].split('"')[0]

    def ask(self, *scopes, user="admin", **query):
        asked = [("service", self.service), *query.items(), *(("scope", scope) for scope in scopes)]
        client = self.client(user=user)
        return client.raw("GET", f"{self.realm}?{urllib.parse.urlencode(asked)}",
                          headers={"Authorization": client.basic()} if user else {})

    def post(self, **form):
        return self.client().raw("POST", self.realm, urllib.parse.urlencode({"service": self.service, **form}).encode(),
                                 {"Content-Type": "application/x-www-form-urlencoded"})

    def get(self, token, path=None, method="GET", body=None, headers=None):
        return self.client().raw(method, path or f"/v2/{self.repository}/manifests/1", body,
                                 {"Authorization": f"Bearer {token}", **(headers or {})})

    def test_the_door_is_closed_and_says_where_to_knock(self):
        answer = self.client().raw("GET", "/v2/")
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.codes(), ["UNAUTHORIZED"])
        self.assertEqual(urllib.parse.urlsplit(self.realm).scheme, "http")
        self.assertEqual(urllib.parse.urlsplit(self.realm).netloc, self.host)

    def test_basic_is_accepted_directly(self):
        answer = self.client().raw("GET", f"/v2/{self.repository}/manifests/1",
                                   headers={"Authorization": self.admin.basic()})
        self.assertEqual(answer.status, 200)
        self.admin.password = "Wrong1password"
        self.assertEqual(self.client().raw("GET", "/v2/", headers={"Authorization": self.admin.basic()}).status, 401)

    def test_a_token_grants_what_was_asked_and_no_more(self):
        token = self.ask(f"repository:{self.repository}:pull").json()["token"]
        self.assertEqual(self.get(token).status, 200)
        refused = self.get(token, f"/v2/{self.repository}/blobs/uploads/", "POST")
        self.assertIn(refused.status, (401, 403))
        self.assertNotEqual(self.get(token, f"/v2/{self.project}/other/tags/list").status, 200)
        self.assertNotEqual(self.get(token, "/v2/_catalog").status, 200)

    def test_several_scopes_come_in_one_token(self):
        self.admin.push_image(f"{self.project}/other", "1", b"layer")
        token = self.ask(f"repository:{self.repository}:pull", f"repository:{self.project}/other:pull,push").json()["token"]
        access = decoded(token.split(".")[1])["access"]
        self.assertEqual({entry["name"]: sorted(entry["actions"]) for entry in access},
                         {self.repository: ["pull"], f"{self.project}/other": ["pull", "push"]})

    def test_claims_are_those_of_the_specification(self):
        answer = self.ask(f"repository:{self.repository}:pull").json()
        self.assertEqual(answer["token"], answer["access_token"])
        self.assertGreaterEqual(answer["expires_in"], 60)
        header, claims = (decoded(part) for part in answer["token"].split(".")[:2])
        self.assertIn(header["alg"], ("ES256", "EdDSA"))
        self.assertEqual(claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0], self.service)
        for claim in ("iss", "sub", "exp", "nbf", "iat", "jti"):
            self.assertIn(claim, claims)

    def test_forged_tokens_are_refused(self):
        token = self.ask(f"repository:{self.repository}:pull").json()["token"]
        header, payload, signature = token.split(".")
        claims = decoded(payload)
        forged = {
            "alg none": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
            "alg None with the signature": f"{encoded({**decoded(header), 'alg': 'None'})}.{payload}.{signature}",
            "alg HS256": f"{encoded({**decoded(header), 'alg': 'HS256'})}.{payload}.{signature}",
            "no signature": f"{header}.{payload}.",
            "two parts": f"{header}.{payload}",
            "another signature": f"{header}.{payload}.{encoded(b'x' * 64)}",
            "more access": f"{header}.{encoded({**claims, 'access': [{'type': 'repository', 'name': self.repository, 'actions': ['pull', 'push', 'delete']}]})}.{signature}",
            "another audience": f"{header}.{encoded({**claims, 'aud': 'elsewhere'})}.{signature}",
            "an unknown key": f"{encoded({**decoded(header), 'kid': 'unknown'})}.{payload}.{signature}",
            "an embedded key": f"{encoded({**decoded(header), 'jwk': {'kty': 'oct', 'k': 'AA'}})}.{payload}.{signature}",
            "nonsense": "nonsense",
            "empty": "",
            "very long": "a" * 20_000,
        }
        for name, value in forged.items():
            with self.subTest(name):
                self.assertEqual(self.get(value).status, 401)
        self.assertEqual(self.get(token).status, 200)

    def test_refresh_and_access_tokens_are_not_each_other(self):
        answer = self.ask(f"repository:{self.repository}:pull", offline_token="true").json()
        refresh, access = answer["refresh_token"], answer["token"]
        self.assertEqual(self.get(refresh).status, 401)
        wrong = self.post(grant_type="refresh_token", refresh_token=access, client_id="test")
        self.assertEqual((wrong.status, wrong.json()["error"]), (400, "invalid_grant"))
        right = self.post(grant_type="refresh_token", refresh_token=refresh, client_id="test",
                          scope=f"repository:{self.repository}:pull")
        self.assertEqual(self.get(right.json()["access_token"]).status, 200)

    def test_the_form_answers_errors_as_rfc_6749(self):
        for error, form in {
            "unsupported_grant_type": {"grant_type": "magic"},
            "invalid_request": {"grant_type": "password", "username": "admin"},
            "invalid_grant": {"grant_type": "password", "username": "admin", "password": "Wrong1password"},
        }.items():
            with self.subTest(error):
                answer = self.post(client_id="test", **form)
                self.assertEqual((answer.status, answer.json()["error"]), (400, error))

    def test_a_wrong_password_gets_no_token(self):
        client = self.client(password="Wrong1password")
        answer = client.raw("GET", f"{self.realm}?service={self.service}", headers={"Authorization": client.basic()})
        self.assertEqual(answer.status, 401)

    def test_missing_and_forbidden_look_the_same_to_anonymous(self):
        token = self.ask(f"repository:{self.repository}:pull", user=None).json()["token"]
        for path in (f"/v2/{{}}/manifests/1", f"/v2/{{}}/tags/list", f"/v2/{{}}/blobs/{self.digest}"):
            for credentials in (None, token):
                with self.subTest(path=path, token=bool(credentials)):
                    answers = []
                    for repository in (self.repository, f"{self.project}x/nothing"):
                        headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}
                        answer = self.client().raw("GET", path.format(repository), headers=headers)
                        challenge = answer.headers["WWW-Authenticate"].replace(repository, "NAME")
                        answers.append((answer.status, challenge, answer.body.replace(repository.encode(), b"NAME")))
                    self.assertEqual(answers[0], answers[1])
                    self.assertEqual(answers[0][0], 401)

    def test_a_blob_is_read_only_through_a_repository_that_holds_it(self):
        secret = b"a secret of one repository"
        digest = self.admin.push_blob(f"{self.project}/secret", secret)
        answer = self.admin.request("GET", f"/v2/{self.repository}/blobs/{digest}")
        self.assertEqual(answer.status, 404)

    def test_a_push_creates_the_project_for_the_admin_only(self):
        path = f"/v2/{self.project}new/app/blobs/uploads/"
        self.assertEqual(self.client(user=None).request("POST", path).status, 401)
        self.admin.expect(202, "POST", path)

    def test_the_keys_are_published(self):
        token = self.ask().json()["token"]
        kid = decoded(token.split(".")[0]).get("kid")
        self.assertTrue(kid)
        answer = self.client().raw("GET", self.realm + "/jwks")
        self.assertEqual(answer.status, 200)
        keys = {key["kid"]: key for key in answer.json()["keys"]}
        self.assertIn(kid, keys)
        self.assertNotIn("d", keys[kid])

    def test_right_credentials_pass_whatever_others_fail(self):
        for _ in range(12):
            client = self.client(user="nobody", password="Wrong1password")
            client.raw("GET", f"{self.realm}?service={self.service}", headers={"Authorization": client.basic()})
        self.assertEqual(self.ask().status, 200)

    def test_manifest_media_types_pass_through_tokens(self):
        token = self.ask(f"repository:{self.repository}:pull").json()["token"]
        answer = self.get(token, headers={"Accept": OCI_MANIFEST})
        self.assertEqual(answer.headers["Content-Type"], OCI_MANIFEST)
        again = self.get(token, headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))
