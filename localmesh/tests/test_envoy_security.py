"""Policies at work in a real Envoy: who may call, with which token, and over what."""

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from collections import Counter

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from envoys.bench import rule
from envoys.http1 import Backend, eventually, get, load
from envoys.secured import policy, secured

from localmesh.xds import Rejected

STRICT = policy("PeerAuthentication", "{mtls: {mode: STRICT}}")
PERMISSIVE = policy("PeerAuthentication", "{mtls: {mode: PERMISSIVE}}")
DISABLE = policy("PeerAuthentication", "{mtls: {mode: DISABLE}}")
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
WEB = "cluster.local/ns/demo/sa/web"


def key_set(key=KEY):
    found = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return json.dumps({"keys": [{**found, "kid": "1", "alg": "ES256"}]})


def token(key=KEY, algorithm="ES256", seconds=60, **claims):
    body = {"iss": "inkmesh", "sub": "guest", "aud": "api", "exp": time.time() + seconds, **claims}
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": "1"})


def bearer(text):
    return {"authorization": f"Bearer {text}"}


def tokens(keys=None, more=""):
    source = f"jwks: '{keys}'" if keys else "jwksUri: http://issuer/keys"
    return policy("RequestAuthentication", f"{{jwtRules: [{{issuer: inkmesh, audiences: [api], {source}{more}}}]}}")


def test_only_a_good_token_passes(bench, authority):
    """Of the issuer, for the audience, in time, signed with its key by its algorithm; none at all passes as well."""
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","kid":"1"}').rstrip(b"=").decode()
    public = json.loads(key_set())["keys"][0]["x"].encode()
    sent = {
        "good": token(),
        "expired": token(seconds=-120),
        "forged": token(key=OTHER_KEY),
        "other audience": token(aud="other"),
        "other issuer": token(iss="other"),
        "symmetric": token(key=hashlib.sha512(public).digest(), algorithm="HS256"),
        "unsigned": f"{unsigned}.{token().split('.')[1]}.",
        "garbage": "x.y.z",
    }

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, tokens(key_set())):
            web = bench.callers["web"]
            found = {name: (await get(web, headers=bearer(text))).status for name, text in sent.items()}
            found["none"] = (await get(web)).status
            return found, len(a.requests)

    found, seen = asyncio.run(scenario())
    assert {name for name, status in found.items() if status == 200} == {"good", "none"}
    assert {found[name] for name in sent if name not in ("good", "other audience")} == {401}
    assert found["other audience"] == 403
    assert seen == 2


def test_no_token_is_good_until_its_issuers_keys_are_there(bench, authority):
    """With a jwksUri that nobody answers each token is refused; when the keys come they count at once."""

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, tokens()) as mesh:
            web = bench.callers["web"]
            before = (await get(web, headers=bearer(token()))).status
            await mesh.apply(*mesh.mesh.documents, jwks={"http://issuer/keys": key_set()})
            after = (await get(web, headers=bearer(token()))).status
            return before, after

    assert asyncio.run(scenario()) == (401, 200)


def test_keys_that_envoy_cannot_read_change_nothing(bench, authority):
    """They are refused with Envoy's reason, and those of before stay in force."""

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, tokens(key_set())) as mesh:
            with pytest.raises(Rejected, match=r"(?i)jwks"):
                await mesh.apply(tokens('{"keys": [{"kty": "EC"}]}'))
            return (await get(bench.callers["web"], headers=bearer(token()))).status

    assert asyncio.run(scenario()) == 200


def test_a_token_is_asked_for_where_a_policy_says_so(bench, authority):
    """requestPrincipals: 403 without a token; claims and the path decide further. The token goes on when it may."""
    need = policy(
        "AuthorizationPolicy",
        """
        rules:
        - to: [{operation: {paths: [/open]}}]
        - from: [{source: {requestPrincipals: [inkmesh/guest]}}]
          to: [{operation: {paths: [/api/*]}}]
        - from: [{source: {requestPrincipals: ["*"]}}]
          when: [{key: "request.auth.claims[roles]", values: [admin]}]
        """,
    )

    async def scenario():
        async with (
            Backend("a") as a,
            secured(bench, authority, a, tokens(key_set(), ", forwardOriginalToken: true"), need),
        ):
            web = bench.callers["web"]
            asked = [
                ("/open", {}),
                ("/api/x", {}),
                ("/api/x", bearer(token())),
                ("/api/x", bearer(token(sub="other"))),
                ("/admin", bearer(token())),
                ("/admin", bearer(token(roles=["reader", "admin"]))),
            ]
            statuses = [(await get(web, path, headers)).status for path, headers in asked]
            return statuses, [request.headers.get("authorization") is not None for request in a.requests]

    statuses, passed_on = asyncio.run(scenario())
    assert statuses == [200, 403, 200, 403, 403, 200]
    assert passed_on == [False, True, True]


def test_a_caller_is_known_by_its_certificate(bench, authority):
    """By principal: web may, batch may not, whatever it says; DENY comes before ALLOW; ports are the manifest's."""
    documents = [
        STRICT,
        policy("AuthorizationPolicy", "{}", "deny-all"),
        policy(
            "AuthorizationPolicy",
            f"{{rules: [{{from: [{{source: {{principals: [{WEB}]}}}}], to: [{{operation: {{ports: ['8080']}}}}]}}]}}",
            "web",
        ),
        policy("AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}", "admin"),
    ]
    claim = {"x-forwarded-client-cert": f"URI=spiffe://{WEB}"}

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, *documents):
            web, batch = bench.callers["web"], bench.callers["batch"]
            answers = [await get(web), await get(web, "/admin"), await get(batch), await get(batch, headers=claim)]
            return [answer.status for answer in answers], a.requests

    statuses, seen = asyncio.run(scenario())
    assert statuses == [200, 403, 403, 403]
    (request,) = seen
    said = request.headers["x-forwarded-client-cert"]
    assert f"URI=spiffe://{WEB}" in said
    assert "By=spiffe://cluster.local/ns/demo/sa/model" in said


@pytest.mark.parametrize(
    ("document", "past_the_mesh", "certified"), [(STRICT, None, True), (PERMISSIVE, 200, True), (DISABLE, 200, False)]
)
def test_plain_text_is_taken_where_the_mode_says_so(bench, authority, document, past_the_mesh, certified):
    """STRICT closes what is no mTLS, PERMISSIVE takes both, DISABLE plain text alone; the mesh's calls always pass."""

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, document) as mesh:
            status = None
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                status = (await get(mesh.inbound)).status
            direct = len(a.requests)
            called = (await get(bench.callers["web"])).status
            return status, direct, called, "x-forwarded-client-cert" in a.requests[-1].headers

    assert asyncio.run(scenario()) == (past_the_mesh, 1 if past_the_mesh else 0, 200, certified)


def test_modes_change_without_a_lost_request(bench, authority):
    """Under load: no policy, PERMISSIVE, STRICT, with an authorization, and back."""
    allow = policy("AuthorizationPolicy", f"{{rules: [{{from: [{{source: {{principals: [{WEB}]}}}}]}}]}}")

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a) as mesh:

            async def changes():
                for documents in ([PERMISSIVE], [STRICT], [STRICT, allow], [STRICT], [PERMISSIVE], []) * 2:
                    await mesh.apply(*documents)
                    seen = len(a.requests)
                    await eventually(lambda seen=seen: len(a.requests) > seen + 16, 60)

            return await load(bench.callers["web"], changes)

    answers = asyncio.run(scenario())
    assert Counter(answer.status for answer in answers) == {200: len(answers)}


def test_certificates_are_renewed_without_a_lost_request(bench, authority):
    """Under load: connections stay, and Envoy says that it took each new certificate."""
    taken = r"sds\..*sa/(web|model)\.update_success"

    async def scenario():
        # One request a connection: behind Envoy each is made anew, with the certificate of that moment.
        short = rule({"connectionPool": {"http": {"maxRequestsPerConnection": 1}}})
        async with Backend("a") as a, secured(bench, authority, a, STRICT, short) as mesh:

            async def renewals():
                for _ in range(8):
                    before = sum((await mesh.admin.counted(taken)).values())
                    authority.renew()

                    async def seen(before=before):
                        return sum((await mesh.admin.counted(taken)).values()) >= before + 2

                    await eventually(seen)

            return await load(bench.callers["web"], renewals)

    answers = asyncio.run(scenario())
    assert len(answers) > 8
    assert {answer.status for answer in answers} == {200}
