"""The Python package `harborapi`, made for Harbor, against us: only its URL is another."""
import asyncio
import functools
import inspect
import unittest

from support import settings
from support.scenario import Scenario
from support.server import PASSWORD

try:
    from harborapi import HarborAsyncClient, exceptions, models
except ImportError:
    HarborAsyncClient = None


class Waiting:
    """Its client, each call awaited. (Its own HarborClient can't make calls that make others.)"""

    def __init__(self, client):
        self.client = client
        self.loop = asyncio.new_event_loop()

    def __getattr__(self, name):
        method = getattr(self.client, name)
        if not inspect.iscoroutinefunction(method):
            return method
        return lambda *values, **named: self.loop.run_until_complete(method(*values, **named))

    def close(self):
        self.loop.run_until_complete(self.client.client.aclose())
        self.loop.close()


def id_of(location):
    return int(location.rsplit("/", 1)[1])


@unittest.skipIf(settings.foreign, "about our own management API")
@unittest.skipUnless(HarborAsyncClient, "needs harborapi (tools/install-test-deps.sh)")
class HarborApi(Scenario):
    def harbor(self, user="admin", password=PASSWORD):
        client = Waiting(HarborAsyncClient(
            url=f"http://{self.host}/api/v2.0", username=user, secret=password, retry=None))
        self.addCleanup(client.close)
        return client

    @functools.cached_property
    def admin(self):
        return self.harbor()

    def user(self, name):
        name = f"{name}-{self.project}"
        location = self.admin.create_user(models.UserCreationReq(
            username=name, password="Developer1pass", email=f"{name}@example.com", realname=name.title()))
        return name, id_of(location)

    def make_project(self, **more):
        self.admin.create_project(models.ProjectReq(project_name=self.project, **more))
        return self.admin.get_project(self.project)

    def test_the_system_tells_about_itself(self):
        self.assertEqual(self.admin.ping(), "Pong")
        self.assertEqual(self.admin.health_check().status, "healthy")
        self.assertEqual(self.admin.get_system_info().auth_mode, "db_auth")
        self.assertGreater(self.admin.get_system_volume_info().storage[0].total, 0)
        self.assertGreaterEqual(self.admin.get_statistics().total_project_count, 0)
        self.assertEqual(self.admin.get_config().auth_mode.value, "db_auth")

    def test_projects_come_change_and_go(self):
        location = self.admin.create_project(models.ProjectReq(
            project_name=self.project, storage_limit=10 << 20, metadata=models.ProjectMetadata(public="true")))
        self.assertEqual(location, f"/api/v2.0/projects/{self.project}")
        with self.assertRaises(exceptions.Conflict):
            self.admin.create_project(models.ProjectReq(project_name=self.project))
        project = self.admin.get_project(self.project)
        self.assertEqual((project.name, project.metadata.public, project.owner_name), (self.project, "true", "admin"))
        self.assertEqual(self.admin.get_project(project.project_id).name, self.project)
        self.assertEqual([one.name for one in self.admin.get_projects(query=f"name={self.project}")], [self.project])
        self.assertTrue(self.admin.project_exists(self.project))
        self.admin.update_project(self.project, models.ProjectReq(metadata=models.ProjectMetadata(public="false")))
        self.assertEqual(self.admin.get_project(self.project).metadata.public, "false")
        self.admin.set_project_metadata(self.project, models.ProjectMetadata(auto_scan="true"))
        self.assertEqual(self.admin.get_project_metadata(self.project).auto_scan, "true")
        self.admin.delete_project_metadata_entry(self.project, "auto_scan")
        self.assertEqual(self.admin.get_project_summary(self.project).quota.hard.root["storage"], 10 << 20)
        self.assertTrue(self.admin.get_project_deletable(self.project).deletable)
        self.admin.delete_project(self.project)
        self.assertFalse(self.admin.project_exists(self.project))

    def test_webhooks_of_a_project(self):
        self.make_project()
        events = self.admin.get_webhook_supported_events(self.project)
        self.assertIn("PUSH_ARTIFACT", [str(one.root) for one in events.event_type])
        target = models.WebhookTargetObject(type="http", address="http://192.0.2.1/hook", auth_header="Bearer x",
                                            skip_cert_verify=True, payload_format="CloudEvents")
        policy = models.WebhookPolicy(name="ci", description="tells CI", enabled=True, targets=[target],
                                      event_types=["PUSH_ARTIFACT", "DELETE_ARTIFACT"])
        number = id_of(self.admin.create_webhook_policy(self.project, policy))
        with self.assertRaises(exceptions.Conflict):
            self.admin.create_webhook_policy(self.project, policy)
        made = self.admin.get_webhook_policy(self.project, number)
        self.assertEqual((made.name, made.enabled, made.creator), ("ci", True, "admin"))
        self.assertEqual(made.targets[0].address, "http://192.0.2.1/hook")
        made.description, made.enabled = "rests", False
        self.admin.update_webhook_policy(self.project, number, made)
        self.assertEqual([(one.id, one.description, one.enabled) for one in self.admin.get_webhook_policies(self.project)],
                         [(number, "rests", False)])
        triggers = self.admin.get_webhook_policy_last_trigger(self.project)
        self.assertEqual([one.event_type for one in triggers], ["PUSH_ARTIFACT", "DELETE_ARTIFACT"])
        self.assertEqual(self.admin.get_webhook_jobs(self.project, number, status=["Success", "Error"]), [])
        self.admin.delete_webhook_policy(self.project, number)
        with self.assertRaises(exceptions.NotFound):
            self.admin.get_webhook_policy(self.project, number)

    def test_users_and_their_passwords(self):
        name, user_id = self.user("dev")
        self.assertEqual(self.admin.get_user(user_id).username, name)
        self.assertEqual(self.admin.get_user_by_username(name).user_id, user_id)
        self.assertEqual([one.user_id for one in self.admin.search_users_by_username(name)], [user_id])
        self.admin.update_user(user_id, models.UserProfile(realname="Dora Dev", email=f"{name}@example.org", comment=""))
        own = self.harbor(name, "Developer1pass")
        self.assertEqual(own.get_current_user().realname, "Dora Dev")
        own.set_user_password(user_id, "Developer2pass", "Developer1pass")
        with self.assertRaises(exceptions.Unauthorized):
            own.get_current_user()
        own = self.harbor(name, "Developer2pass")
        self.assertFalse(own.get_current_user().sysadmin_flag)
        with self.assertRaises(exceptions.Forbidden):
            own.get_users()
        self.admin.set_user_admin(user_id, True)
        self.assertIn(name, [one.username for one in own.get_users(query=f"username={name}")])
        self.admin.set_user_admin(user_id, False)
        self.admin.delete_user(user_id)
        with self.assertRaises(exceptions.NotFound):
            self.admin.get_user(user_id)

    def test_members_get_their_role_at_once(self):
        project = self.make_project()
        name, user_id = self.user("member")
        own = self.harbor(name, "Developer1pass")
        with self.assertRaises(exceptions.NotFound):
            own.get_project(self.project)
        self.admin.add_project_member_user(self.project, name, 3)
        member, = self.admin.get_project_members(self.project, entity_name=name)
        self.assertEqual((member.role_id, member.entity_type, member.entity_id), (3, "u", user_id))
        self.assertEqual(own.get_project(self.project).project_id, project.project_id)
        with self.assertRaises(exceptions.Forbidden):
            own.add_project_member_user(self.project, "admin", 3)
        self.admin.update_project_member_role(self.project, member.id, 1)
        own.update_project(self.project, models.ProjectReq(metadata=models.ProjectMetadata(public="true")))
        self.admin.remove_project_member(self.project, member.id)
        with self.assertRaises(exceptions.Forbidden):
            own.update_project(self.project, models.ProjectReq(metadata=models.ProjectMetadata(public="false")))

    def test_artifacts_tags_and_labels(self):
        project = self.make_project()
        digest = self.client().push_image(f"{self.project}/team/app", "1.0", b"layer")
        repository, = self.admin.get_repositories(self.project)
        self.assertEqual((repository.name, repository.artifact_count), (f"{self.project}/team/app", 1))
        place = (self.project, "team/app")
        artifact = self.admin.get_artifact(*place, "1.0")
        self.assertEqual((artifact.digest, artifact.type, [tag.name for tag in artifact.tags]), (digest, "IMAGE", ["1.0"]))
        self.admin.create_artifact_tag(*place, digest, models.Tag(name="stable"))
        self.assertEqual({tag.name for tag in self.admin.get_artifact_tags(*place, digest)}, {"1.0", "stable"})
        label = id_of(self.admin.create_label(models.Label(
            name="checked", color="#00AA00", scope="p", project_id=project.project_id)))
        self.admin.add_artifact_label(*place, digest, models.Label(id=label))
        shown, = self.admin.get_artifacts(*place, with_label=True, with_tag=True)
        self.assertEqual([one.name for one in shown.labels], ["checked"])
        self.admin.delete_artifact_label(*place, digest, label)
        self.admin.delete_label(label)
        self.admin.delete_artifact_tag(*place, digest, "stable")
        self.admin.copy_artifact(self.project, "copy", f"{self.project}/team/app@{digest}")
        self.assertEqual(self.admin.get_artifact(self.project, "copy", digest).digest, digest)
        self.admin.update_repository(*place, models.Repository(description="the team's app"))
        self.assertEqual(self.admin.get_repository(*place).description, "the team's app")
        self.assertIn(f"{self.project}/copy", [one.repository_name for one in self.admin.search(self.project).repository])
        self.admin.delete_artifact(*place, digest)
        self.admin.delete_repository(self.project, "copy")

    def test_robots_of_a_project(self):
        self.make_project()
        permission = models.RobotPermission(kind="project", namespace=self.project, access=[
            models.Access(resource="repository", action="pull"), models.Access(resource="repository", action="list")])
        robot = self.admin.create_robot(models.RobotCreate(
            name="ci", level="project", duration=7, description="pulls", disable=False, permissions=[permission]))
        self.assertEqual(robot.name, f"robot${self.project}+ci")
        own = self.harbor(robot.name, robot.secret)
        self.assertEqual(own.get_repositories(self.project), [])
        with self.assertRaises(exceptions.Forbidden):
            own.get_project_members(self.project)
        again = self.admin.refresh_robot_secret(robot.id, "Another1secret")
        self.assertIn(again.secret, (None, "", "Another1secret"))
        self.assertEqual(self.harbor(robot.name, "Another1secret").get_repositories(self.project), [])
        shown = self.admin.get_robot(robot.id)
        self.assertEqual((shown.level, shown.duration, shown.disable), ("project", 7, False))
        self.assertEqual({access.action for access in shown.permissions[0].access}, {"pull", "list"})
        self.admin.delete_robot(robot.id)
        with self.assertRaises(exceptions.Unauthorized):
            self.harbor(robot.name, "Another1secret").get_repositories(self.project)

    def test_quotas(self):
        project = self.make_project()
        quota, = self.admin.get_quotas(reference="project", reference_id=str(project.project_id))
        self.assertEqual(quota.hard.root["storage"], -1)
        self.admin.update_quota(quota.id, models.QuotaUpdateReq(hard={"storage": 1 << 30}))
        self.assertEqual(self.admin.get_quota(quota.id).hard.root["storage"], 1 << 30)

    def test_groups_of_a_directory(self):
        name = f"group-{self.project}"
        group = id_of(self.admin.create_usergroup(models.UserGroup(group_name=name, group_type=3)))
        self.assertEqual([one.id for one in self.admin.get_usergroups(group_name=name)], [group])
        self.assertEqual([one.id for one in self.admin.search_usergroups(name)], [group])
        self.make_project()
        self.admin.add_project_member_group(self.project, group, 2)
        member, = self.admin.get_project_members(self.project, entity_name=name)
        self.assertEqual((member.entity_type, member.entity_id), ("g", group))
        self.admin.delete_usergroup(group)

    def test_the_audit_trail_tells_it_all(self):
        self.make_project()
        self.client().push_image(f"{self.project}/app", "1", b"layer")
        logs = self.admin.get_project_logs(self.project)
        self.assertIn(("create", "admin"), {(one.operation, one.username) for one in logs})
        self.assertIn(("create", "artifact"), {(one.operation, one.resource_type) for one in logs})
        self.assertTrue(self.admin.get_audit_logs(query="operation=create,resource_type=project"))

    def test_pages_are_followed_to_the_end(self):
        for number in range(23):
            self.admin.create_project(models.ProjectReq(project_name=f"{self.project}-{number:02}"))
        found = self.admin.get_projects(query=f"name=~{self.project}-", page_size=5)
        self.assertEqual(len({project.name for project in found}), 23)
