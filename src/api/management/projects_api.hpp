#pragma once

#include "api/oci/gate.hpp"
#include "http/message.hpp"
#include "tenancy/projects.hpp"

#include <string_view>

namespace entrepot {

// /api/v2.0/projects and /api/v2.0/ping in Harbor's shapes (Harbor API v2.0, swagger.yaml), as far as projects exist:
// list, create, read, make public or private, delete.
class ProjectsApi {
public:
    ProjectsApi(Gate& gate, Projects& projects) : gate_{gate}, projects_{projects} {}

    asio::awaitable<Response> handle(const Request& request, ByteSource& body);

private:
    Task<Response> answer(const Request& request, ByteSource& body, std::string_view path);
    Task<Response> list(const Request& request, Caller caller);
    Task<Response> create(const Request& request, ByteSource& body, Caller caller);
    Task<Response> one(const Request& request, ByteSource& body, Caller caller, std::string_view name);

    Gate& gate_;
    Projects& projects_;
};

}  // namespace entrepot
