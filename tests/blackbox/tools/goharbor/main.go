// goharbor URL USER PASSWORD PROJECT NEW-USER: a round through a registry with goharbor's own Go client, which
// harbor-cli is made of. PROJECT and NEW-USER must not exist; PROJECT/app:1 is pushed by whoever runs this when it
// prints "push". Ends with 0 when every step answered as Harbor does.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/goharbor/go-client/pkg/harbor"
	v2 "github.com/goharbor/go-client/pkg/sdk/v2.0/client"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/artifact"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/auditlog"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/configure"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/health"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/label"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/member"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/permissions"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project_metadata"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/quota"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/repository"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/robot"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/search"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/systeminfo"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/user"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/models"
)

var ctx = context.Background()

func must[T any](value T, err error) func(step string) T {
	return func(step string) T {
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", step, err)
			os.Exit(1)
		}
		fmt.Println("ok", step)
		return value
	}
}

func want(step string, holds bool) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%s: not so\n", step)
		os.Exit(1)
	}
}

func pointer[T any](value T) *T { return &value }

func client(url, name, password string) *v2.HarborAPI {
	set, err := harbor.NewClientSet(&harbor.ClientSetConfig{URL: url, Username: name, Password: password})
	return must(set, err)("client of " + name).V2()
}

func system(api *v2.HarborAPI) {
	state := must(api.Health.GetHealth(ctx, health.NewGetHealthParams()))("health")
	want("healthy", state.Payload.Status == "healthy")
	info := must(api.Systeminfo.GetSystemInfo(ctx, systeminfo.NewGetSystemInfoParams()))("system info")
	want("local accounts", *info.Payload.AuthMode == "db_auth")
	must(api.Configure.GetConfigurations(ctx, configure.NewGetConfigurationsParams()))("configurations")
	must(api.Permissions.GetPermissions(ctx, permissions.NewGetPermissionsParams()))("permissions")
}

func projects(api *v2.HarborAPI, name string) int32 {
	must(api.Project.CreateProject(ctx, project.NewCreateProjectParams().WithProject(&models.ProjectReq{
		ProjectName: name, StorageLimit: pointer(int64(-1)), Metadata: &models.ProjectMetadata{Public: "false"}})))("create project")
	_, err := api.Project.CreateProject(ctx, project.NewCreateProjectParams().WithProject(&models.ProjectReq{ProjectName: name}))
	var taken *project.CreateProjectConflict
	want("a taken name is a conflict", errors.As(err, &taken))
	got := must(api.Project.GetProject(ctx, project.NewGetProjectParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true))))("get project")
	want("its name", got.Payload.Name == name)
	listed := must(api.Project.ListProjects(ctx, project.NewListProjectsParams().WithName(&name)))("list projects")
	want("it is listed", listed.XTotalCount >= 1 && len(listed.Payload) >= 1)
	must(api.Project.UpdateProject(ctx, project.NewUpdateProjectParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true)).
		WithProject(&models.ProjectReq{Metadata: &models.ProjectMetadata{Public: "true"}})))("update project")
	data := must(api.ProjectMetadata.GetProjectMetadata(ctx, project_metadata.NewGetProjectMetadataParams().WithProjectNameOrID(name).
		WithXIsResourceName(pointer(true)).WithMetaName("public")))("project metadata")
	want("it is public now", data.Payload["public"] == "true")
	summary := must(api.Project.GetProjectSummary(ctx, project.NewGetProjectSummaryParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true))))("project summary")
	want("its maker is its admin", summary.Payload.ProjectAdminCount == 1)
	return got.Payload.ProjectID
}

func people(api *v2.HarborAPI, url, name, newUser string) {
	password := "Developer1pass"
	must(api.User.CreateUser(ctx, user.NewCreateUserParams().WithUserReq(&models.UserCreationReq{
		Username: newUser, Password: password, Email: newUser + "@example.com", Realname: newUser})))("create user")
	own := client(url, newUser, password)
	current := must(own.User.GetCurrentUserInfo(ctx, user.NewGetCurrentUserInfoParams()))("current user")
	want("no admin", !current.Payload.SysadminFlag)
	must(api.Member.CreateProjectMember(ctx, member.NewCreateProjectMemberParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true)).
		WithProjectMember(&models.ProjectMember{RoleID: 2, MemberUser: &models.UserEntity{Username: newUser}})))("create member")
	members := must(own.Member.ListProjectMembers(ctx, member.NewListProjectMembersParams().WithProjectNameOrID(name).
		WithXIsResourceName(pointer(true)).WithEntityname(&newUser)))("list members")
	want("one member", len(members.Payload) == 1 && members.Payload[0].RoleName == "developer")
	id := members.Payload[0].ID
	must(api.Member.UpdateProjectMember(ctx, member.NewUpdateProjectMemberParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true)).
		WithMid(id).WithRole(&models.RoleRequest{RoleID: 4})))("update member")
	must(own.User.GetCurrentUserPermissions(ctx, user.NewGetCurrentUserPermissionsParams()))("current permissions")
	must(api.Member.DeleteProjectMember(ctx, member.NewDeleteProjectMemberParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true)).
		WithMid(id)))("delete member")
	must(api.User.DeleteUser(ctx, user.NewDeleteUserParams().WithUserID(current.Payload.UserID)))("delete user")
}

func artifacts(api *v2.HarborAPI, name string, id int64) {
	fmt.Println("push")
	bufio.NewReader(os.Stdin).ReadString('\n')
	listed := must(api.Artifact.ListArtifacts(ctx, artifact.NewListArtifactsParams().WithProjectName(name).WithRepositoryName("app").
		WithWithTag(pointer(true)).WithWithLabel(pointer(true))))("list artifacts")
	want("one artifact", len(listed.Payload) == 1 && listed.Payload[0].Tags[0].Name == "1")
	digest := listed.Payload[0].Digest
	must(api.Artifact.CreateTag(ctx, artifact.NewCreateTagParams().WithProjectName(name).WithRepositoryName("app").WithReference(digest).
		WithTag(&models.Tag{Name: "two"})))("create tag")
	tags := must(api.Artifact.ListTags(ctx, artifact.NewListTagsParams().WithProjectName(name).WithRepositoryName("app").WithReference(digest)))("list tags")
	want("two tags", len(tags.Payload) == 2)
	must(api.Label.CreateLabel(ctx, label.NewCreateLabelParams().WithLabel(&models.Label{Name: "go", Color: "#0072C6", Scope: "p", ProjectID: id})))("create label")
	labels := must(api.Label.ListLabels(ctx, label.NewListLabelsParams().WithScope(pointer("p")).WithProjectID(&id)))("list labels")
	want("one label", len(labels.Payload) == 1)
	must(api.Artifact.AddLabel(ctx, artifact.NewAddLabelParams().WithProjectName(name).WithRepositoryName("app").WithReference("two").
		WithLabel(&models.Label{ID: labels.Payload[0].ID})))("add label")
	one := must(api.Artifact.GetArtifact(ctx, artifact.NewGetArtifactParams().WithProjectName(name).WithRepositoryName("app").
		WithReference("two").WithWithLabel(pointer(true))))("get artifact")
	want("it is labelled", len(one.Payload.Labels) == 1 && one.Payload.Labels[0].Name == "go")
	must(api.Artifact.RemoveLabel(ctx, artifact.NewRemoveLabelParams().WithProjectName(name).WithRepositoryName("app").WithReference("two").
		WithLabelID(labels.Payload[0].ID)))("remove label")
	must(api.Artifact.CopyArtifact(ctx, artifact.NewCopyArtifactParams().WithProjectName(name).WithRepositoryName("deep%2Fcopy").
		WithFrom(name+"/app:two")))("copy artifact")
	must(api.Artifact.DeleteTag(ctx, artifact.NewDeleteTagParams().WithProjectName(name).WithRepositoryName("app").WithReference(digest).
		WithTagName("two")))("delete tag")
	found := must(api.Search.Search(ctx, search.NewSearchParams().WithQ(name)))("search")
	want("both repositories are found", len(found.Payload.Repository) == 2)
	must(api.Repository.GetRepository(ctx, repository.NewGetRepositoryParams().WithProjectName(name).WithRepositoryName("deep%2Fcopy")))("get repository")
	must(api.Repository.DeleteRepository(ctx, repository.NewDeleteRepositoryParams().WithProjectName(name).WithRepositoryName("deep%2Fcopy")))("delete repository")
	must(api.Artifact.DeleteArtifact(ctx, artifact.NewDeleteArtifactParams().WithProjectName(name).WithRepositoryName("app").WithReference(digest)))("delete artifact")
}

func robots(api *v2.HarborAPI, url, name string) {
	made := must(api.Robot.CreateRobot(ctx, robot.NewCreateRobotParams().WithRobot(&models.RobotCreate{Name: "go", Level: "project", Duration: 3,
		Permissions: []*models.RobotPermission{{Kind: "project", Namespace: name, Access: []*models.Access{{Resource: "repository", Action: "list"}}}}})))("create robot")
	own := client(url, made.Payload.Name, made.Payload.Secret)
	must(own.Repository.ListRepositories(ctx, repository.NewListRepositoriesParams().WithProjectName(name)))("list repositories as a robot")
	_, err := own.Member.ListProjectMembers(ctx, member.NewListProjectMembersParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true)))
	var forbidden *member.ListProjectMembersForbidden
	want("a robot has its rights and no more", errors.As(err, &forbidden))
	must(api.Robot.RefreshSec(ctx, robot.NewRefreshSecParams().WithRobotID(made.Payload.ID).WithRobotSec(&models.RobotSec{})))("new secret")
	shown := must(api.Robot.GetRobotByID(ctx, robot.NewGetRobotByIDParams().WithRobotID(made.Payload.ID)))("get robot")
	shown.Payload.Disable = true
	must(api.Robot.UpdateRobot(ctx, robot.NewUpdateRobotParams().WithRobotID(made.Payload.ID).WithRobot(shown.Payload)))("update robot")
	must(api.Robot.DeleteRobot(ctx, robot.NewDeleteRobotParams().WithRobotID(made.Payload.ID)))("delete robot")
}

func closing(api *v2.HarborAPI, name string, id int64) {
	reference, text := "project", fmt.Sprint(id)
	quotas := must(api.Quota.ListQuotas(ctx, quota.NewListQuotasParams().WithReference(&reference).WithReferenceID(&text)))("list quotas")
	want("one quota", len(quotas.Payload) == 1)
	must(api.Quota.UpdateQuota(ctx, quota.NewUpdateQuotaParams().WithID(quotas.Payload[0].ID).
		WithHard(&models.QuotaUpdateReq{Hard: models.ResourceList{"storage": 1 << 30}})))("update quota")
	logs := must(api.Auditlog.ListAuditLogExts(ctx, auditlog.NewListAuditLogExtsParams().WithQ(pointer("operation=create"))))("audit logs")
	want("something was made", len(logs.Payload) > 0)
	must(api.Repository.DeleteRepository(ctx, repository.NewDeleteRepositoryParams().WithProjectName(name).WithRepositoryName("app")))("delete repository")
	must(api.Project.DeleteProject(ctx, project.NewDeleteProjectParams().WithProjectNameOrID(name).WithXIsResourceName(pointer(true))))("delete project")
}

func main() {
	url, admin, password, name, newUser := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	api := client(url, admin, password)
	system(api)
	id := int64(projects(api, name))
	people(api, url, name, newUser)
	artifacts(api, name, id)
	robots(api, url, name)
	closing(api, name, id)
}
