"""What each role may do, written from Harbor's documentation of its project roles (C create, R read, U update, D delete, L
list) and from ours of the others: the second source of what test_matrix.py expects."""

LETTERS = {"C": "create", "R": "read", "U": "update", "D": "delete", "L": "list"}


def table(kind, text):
    """"label C R U D L, tag L" → {"project:label:create", …}."""
    found = set()
    for part in text.split(","):
        resource, *actions = part.split()
        found |= {f"{kind}:{resource}:{LETTERS.get(action, action)}" for action in actions}
    return found


PROJECT_ADMIN = table("project", """project R U D, member C R U D L, metadata C R U D, log L, label C R U D L, quota R,
    repository C R U D L pull push, tag-retention C R U D L operate, immutable-tag C U D L, push-policy C R U D L,
    promotion-policy C R U D L, promotion C R L approve, configuration R U, robot C R U D L, notification-policy C R U D L, scan C R stop, sbom C R stop, scanner C R, artifact C R D L,
    artifact-addition R, tag C D L, accessory L, artifact-label C D, check C D, preheat-policy C R U D L, export-cve C R L,
    grant C D L""")
MAINTAINER = table("project", """project R, member R L, metadata R, label C R U D L, quota R,
    repository C R U D L pull push, tag-retention C R U D L operate, immutable-tag C U D L, push-policy C R U D L,
    promotion-policy R L, promotion C R L approve, configuration R, robot R L, notification-policy R L, scan C R stop, sbom C R stop, scanner R, artifact C R D L, artifact-addition R, tag C D L,
    accessory L, artifact-label C D, check C D, export-cve C R L""")
DEVELOPER = table("project", """project R, member R L, label R L, quota R, repository C R U L pull push,
    tag-retention C R U D L operate, push-policy R L, promotion-policy R L, promotion C R L, configuration R,
    robot R L, scan R, sbom R, scanner R, artifact C R L, artifact-addition R, tag C L, accessory L, artifact-label C D, check C, export-cve C R L""")
GUEST = table("project", """project R, member R L, label R L, quota R, repository R L pull, configuration R, robot R L,
    scan R, sbom R, scanner R, artifact R L, artifact-addition R, tag L, accessory L""")
LIMITED_GUEST = table("project", """project R, quota R, repository R L pull, configuration R, scan R, sbom R, scanner R,
    artifact R L, artifact-addition R, tag L, accessory L""")
PUBLIC = table("project", """project R, label R L, repository L pull, configuration R, scan R, sbom R, scanner R,
    artifact R L, artifact-addition R, tag L, accessory L""")
TENANT_ADMIN = PROJECT_ADMIN | table("tenant", """tenant R U, member C D L, team C R U D L, project C L, grant C D L,
    quota R U, robot C R U D L, log L, registry C R U D L""")
TENANT_MEMBER = table("tenant", "tenant R, team R L")

ROLES = {"project-admin": (1, PROJECT_ADMIN), "maintainer": (4, MAINTAINER), "developer": (2, DEVELOPER),
         "guest": (3, GUEST), "limited-guest": (5, LIMITED_GUEST), "basic-owner": (10, MAINTAINER),
         "basic-user": (11, DEVELOPER), "basic-guest": (12, GUEST)}
