#pragma once

#include "api/management/api_router.hpp"
#include "http/message.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace entrepot {

// The contract of the management API for people and programs: /api/v2.0/openapi.yaml, openapi.json, and a page at
// /api/docs that shows it. Everything is in the program; the page loads nothing from elsewhere and runs no script but
// its own. Immutable after construction.
class Documentation {
public:
    Documentation();

    void add_to(ApiRouter& router);
    Response page(const Request& request) const;

private:
    struct File {
        std::shared_ptr<const std::string> bytes;
        std::string media_type;
        std::string etag;
    };
    static File file(std::string_view bytes, std::string_view media_type);
    static Response answer(const File& file, const Request& request);
    static Task<Response> serve(ApiCall call, File file);

    File yaml_;
    File json_;
    File page_;
    std::string page_policy_;  // Content-Security-Policy
};

}  // namespace entrepot
