#include "drivers/upstream/adapter.hpp"
#include "drivers/upstream/aws_ecr.hpp"
#include "drivers/upstream/docker_hub.hpp"
#include "drivers/upstream/entrepot_api.hpp"
#include "drivers/upstream/harbor.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

// An adapter that differs in nothing but its name and where its log-in is.
Adapter plain(std::string type, std::string title, std::vector<std::string> token_hosts = {})
{
    Adapter adapter;
    adapter.info.type = std::move(type);
    adapter.info.title = std::move(title);
    adapter.token_hosts = std::move(token_hosts);
    return adapter;
}

Adapter make_docker_registry()
{
    auto adapter = plain("docker-registry", "Any registry by the OCI specification");
    adapter.info.tested = true;
    return adapter;
}

Adapter make_harbor_like(std::string type, std::string title)
{
    auto adapter = plain(std::move(type), std::move(title));
    adapter.repositories = harbor::repositories;
    adapter.prepare = harbor::prepare;
    adapter.remove_tag = harbor::remove_tag;
    return adapter;
}

Adapter make_entrepot()
{
    auto adapter = make_harbor_like("entrepot", "Entrepôt");
    adapter.remove_tag = nullptr;  // the distribution API does it
    adapter.single_post = true;
    adapter.tag_summary = entrepot_api::tag_summary;
    adapter.tag_states = entrepot_api::tag_states;
    adapter.info.tested = true;
    return adapter;
}

Adapter make_docker_hub()
{
    auto adapter = plain("docker-hub", "Docker Hub", {"auth.docker.io"});
    adapter.info.known_urls = {{"hub.docker.com", "https://hub.docker.com"}};
    adapter.registry_url = docker_hub::registry_url;
    adapter.remote_name = docker_hub::remote_name;
    adapter.repositories = docker_hub::repositories;
    return adapter;
}

Adapter make_ecr()
{
    auto adapter = plain("aws-ecr", "Amazon ECR");
    adapter.info.credential_pattern = "AccessKeyID / SecretAccessKey";
    adapter.pass = aws_ecr::pass;
    adapter.repositories = aws_ecr::repositories;
    adapter.prepare = aws_ecr::prepare;
    return adapter;
}

Adapter make_google()
{
    auto adapter = plain("google-gcr", "Google Artifact Registry");
    adapter.info.known_urls = {
        {"gcr.io", "https://gcr.io"},
        {"us-docker.pkg.dev", "https://us-docker.pkg.dev"},
        {"europe-docker.pkg.dev", "https://europe-docker.pkg.dev"},
        {"asia-docker.pkg.dev", "https://asia-docker.pkg.dev"},
    };
    adapter.info.credential_pattern = "_json_key / the key's JSON";
    return adapter;
}

Adapter make_ghcr()
{
    auto adapter = plain("github-ghcr", "GitHub Container Registry");
    adapter.info.known_urls = {{"ghcr.io", "https://ghcr.io"}};
    adapter.info.lists_repositories = false;
    return adapter;
}

Adapter make_gitlab()
{
    auto adapter = plain("gitlab", "GitLab Container Registry", {"gitlab.com"});
    adapter.info.known_urls = {{"registry.gitlab.com", "https://registry.gitlab.com"}};
    adapter.info.lists_repositories = false;
    return adapter;
}

Adapter make_azure()
{
    auto adapter = plain("azure-acr", "Azure Container Registry");
    adapter.list_actions = "metadata_read";
    return adapter;
}

// Those of clouds whose own APIs, with their own signatures, are the only lists.
Adapter make_listless(std::string type, std::string title)
{
    auto adapter = plain(std::move(type), std::move(title));
    adapter.info.lists_repositories = false;
    return adapter;
}

Adapter make_quay()
{
    auto adapter = plain("quay", "Quay");
    adapter.info.known_urls = {{"quay.io", "https://quay.io"}};
    return adapter;
}

}  // namespace

std::span<const Adapter> all_adapters()
{
    static const std::vector<Adapter> table{
        make_docker_registry(),
        make_entrepot(),
        make_harbor_like("harbor", "Harbor"),
        make_docker_hub(),
        make_ecr(),
        make_google(),
        make_azure(),
        make_quay(),
        make_ghcr(),
        make_gitlab(),
        plain("jfrog-artifactory", "JFrog Artifactory"),
        make_listless("huawei-SWR", "Huawei SWR"),
        make_listless("ali-acr", "Alibaba ACR"),
        make_listless("tencent-tcr", "Tencent TCR"),
    };
    return table;
}

const Adapter* find_adapter(std::string_view type)
{
    const auto table = all_adapters();
    const auto found =
        std::ranges::find(table, type, [](const Adapter& each) { return std::string_view{each.info.type}; });
    return found == table.end() ? nullptr : &*found;
}

}  // namespace entrepot
