"""Fills a stopped server's SQLite database with tenants, people, teams, projects and grants: what would take hours
through the API is here in seconds. The rows are those that the API would write."""
import sqlite3
import time

NOW = int(time.time() * 1e6)
DEVELOPER, GUEST, TENANT_MEMBER = 2, 3, 9


def fill(database, *, tenants, users, grants, measured_project, caller):
    """Tenants with their people, three teams and five projects each, and `grants` grants in all. The measured project
    gets a thousand of them, and the caller sits in twenty teams: what a decision costs must not depend on either."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA foreign_keys = ON")
    with connection:
        first = _numbers(connection)
        _tenants(connection, first, tenants)
        _people(connection, first, users, tenants)
        teams, projects = _teams_and_projects(connection, first, tenants)
        written = _measured(connection, first, measured_project, caller, teams)
        _grants(connection, first, grants - written, users, projects)
        connection.execute("UPDATE access_state SET version = version + 1, oldest = version + 1")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _numbers(connection):
    return {table: (connection.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone()[0] + 1)
            for table in ("tenants", "users", "teams", "projects", "grants")}


def _tenants(connection, first, count):
    connection.executemany(
        "INSERT INTO tenants (id, name, display_name, description, created_at, updated_at) VALUES (?, ?, ?, '', ?, ?)",
        ((first["tenants"] + i, f"tenant-{i:05}", f"Tenant {i}", NOW, NOW) for i in range(count)))


def _people(connection, first, count, tenants):
    connection.executemany(
        "INSERT INTO users (id, name, is_admin, created_at, updated_at, email) VALUES (?, ?, 0, ?, ?, ?)",
        ((first["users"] + i, f"user-{i:06}", NOW, NOW, f"user-{i:06}@example.test") for i in range(count)))
    connection.executemany(
        "INSERT INTO tenant_members (tenant_id, user_id, joined_at) VALUES (?, ?, ?)",
        ((first["tenants"] + i % tenants, first["users"] + i, NOW) for i in range(count)))


def _teams_and_projects(connection, first, tenants):
    teams, projects = [], []
    for i in range(tenants):
        tenant = first["tenants"] + i
        for j, name in enumerate(("everyone", "developers", "sres")):
            teams.append((first["teams"] + len(teams), tenant, name, "", 1 if j == 0 else 0, NOW, NOW))
        for j in range(5):
            projects.append((first["projects"] + len(projects), f"seed-{i:05}-{j}", 0, 0, 1, NOW, NOW, tenant))
    connection.executemany("INSERT INTO teams (id, tenant_id, name, description, implicit, created_at, updated_at) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?)", teams)
    connection.executemany("INSERT INTO projects (id, name, is_public, bytes, owner_id, created_at, updated_at, "
                           "tenant_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", projects)
    return [row[0] for row in teams if not row[4]], [row[0] for row in projects]


INSERT_GRANT = ("INSERT OR IGNORE INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, "
                "created_by, created_at) VALUES (?, ?, ?, ?, ?, 'seed', 1, ?)")


def _measured(connection, first, project, caller, teams):
    (project_id,) = connection.execute("SELECT id FROM projects WHERE name = ?", (project,)).fetchone()
    (caller_id,) = connection.execute("SELECT id FROM users WHERE name = ?", (caller,)).fetchone()
    connection.executemany(INSERT_GRANT, (("user", first["users"] + i, "project", project_id, GUEST, NOW)
                                          for i in range(1000)))
    connection.executemany("INSERT INTO team_members (team_id, user_id, added_at) VALUES (?, ?, ?)",
                           ((team, caller_id, NOW) for team in teams[:20]))
    return 1000


def _grants(connection, first, count, users, projects):
    """Each user on some projects, spread evenly; a step a round keeps the pairs apart."""
    def rows():
        for i in range(count):
            yield ("user", first["users"] + i % users, "project", projects[(i * 7919 + i // users * 31) % len(projects)],
                   DEVELOPER if i % 2 else GUEST, NOW)
    connection.executemany(INSERT_GRANT, rows())
