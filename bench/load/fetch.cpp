#include "scripts.hpp"

#include <algorithm>
#include <memory>
#include <random>

namespace entrepot::load {
namespace {

constexpr std::size_t ranges_prepared = 1024;

// A request and what must come back.
struct Planned {
    std::string head;
    std::string_view body;
    int status = 200;
    bool expects_body = true;
};

struct Plan {
    std::vector<Planned> requests;
    FetchOptions options;
    std::size_t connections = 1;
};

std::vector<Planned> plan_mixed(const Load& load, const FetchOptions& options, const std::string& fields)
{
    std::vector<Planned> planned;
    for (const auto& request : options.mixed) {
        auto own = fields;
        if (!request.body.empty()) own += "Content-Type: application/json\r\n";
        if (request.method != "GET" && request.method != "HEAD") own += length_field(request.body.size());
        planned.push_back(
            {.head = request_head(load, request.method, request.path, {}, own),
             .body = request.body,
             .status = request.status,
             .expects_body = request.method != "HEAD"}
        );
    }
    return planned;
}

// `options` must outlive the plan: bodies are views of it.
std::vector<Planned> plan_requests(const Load& load, const FetchOptions& options)
{
    std::string fields;
    for (const auto& header : options.headers) fields += header + "\r\n";
    if (!options.mixed.empty()) return plan_mixed(load, options, fields);
    if (options.method == "PUT") fields += length_field(options.body.size());
    const Planned usual{
        .head = {},
        .body = options.method == "PUT" ? std::string_view{options.body} : std::string_view{},
        .status = options.status,
        .expects_body = options.method != "HEAD"
    };
    std::vector<Planned> planned;
    const auto add = [&](const std::string& path, const std::string& more) {
        planned.push_back(usual);
        planned.back().head = request_head(load, options.method, path, {}, fields + more);
    };
    if (options.range_of == 0) {
        for (const auto& path : options.paths) add(path, {});
        return planned;
    }
    // The same ranges for every server.
    std::mt19937_64 generator{1};
    std::uniform_int_distribution<std::uint64_t> starts{0, options.range_of - options.range_length};
    for (std::size_t i = 0; i < ranges_prepared; ++i) {
        const auto start = starts(generator);
        const auto end = start + options.range_length - 1;
        add(options.paths[i % options.paths.size()],
            "Range: bytes=" + std::to_string(start) + "-" + std::to_string(end) + "\r\n");
    }
    return planned;
}

class Fetch final : public Script {
public:
    Fetch(std::shared_ptr<const Plan> plan, std::size_t connection) : plan_(std::move(plan))
    {
        next_ = plan_->options.each_once ? connection : connection * plan_->requests.size() / plan_->connections;
    }

    const Request* next(bool stopping) override
    {
        if (stopping) return nullptr;
        const auto count = plan_->requests.size();
        if (plan_->options.each_once && next_ >= count) return nullptr;
        current_ = &plan_->requests[next_];
        next_ += plan_->options.each_once ? plan_->connections : 1;
        if (!plan_->options.each_once && next_ == count) next_ = 0;
        request_ = {.head = current_->head, .expects_body = current_->expects_body};
        request_.body.first = current_->body;
        return &request_;
    }

    Verdict answered(const ResponseReader& response) override
    {
        if (response.status() != current_->status) {
            const auto what = current_->head.substr(0, current_->head.find(" HTTP/"));
            return {.unit_done = false, .wrong = wrong_status(what, current_->status, response)};
        }
        const auto length = plan_->options.length;
        if (length != 0 && response.length() != length) {
            return {.unit_done = false, .wrong = "body of " + std::to_string(response.length()) + " bytes"};
        }
        return {.unit_done = true};
    }

private:
    std::shared_ptr<const Plan> plan_;
    std::size_t next_ = 0;
    const Planned* current_ = nullptr;
    Request request_;
};

}  // namespace

ScriptFactory fetch_scripts(const Load& load, const FetchOptions& options)
{
    auto plan = std::make_shared<Plan>();
    plan->options = options;
    plan->requests = plan_requests(load, plan->options);
    plan->connections = static_cast<std::size_t>(std::max(1, load.connections));
    return [plan](int connection) { return std::make_unique<Fetch>(plan, static_cast<std::size_t>(connection)); };
}

}  // namespace entrepot::load
