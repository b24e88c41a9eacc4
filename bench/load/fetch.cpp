#include "scripts.hpp"

#include <algorithm>
#include <memory>
#include <random>

namespace entrepot::load {
namespace {

constexpr std::size_t ranges_prepared = 1024;

struct Plan {
    std::vector<std::string> heads;
    FetchOptions options;
    std::size_t connections = 1;
};

std::vector<std::string> make_heads(const Load& load, const FetchOptions& options)
{
    std::string fields;
    for (const auto& header : options.headers) fields += header + "\r\n";
    if (options.method == "PUT") fields += length_field(options.body.size());
    std::vector<std::string> heads;
    if (options.range_of == 0) {
        for (const auto& path : options.paths) heads.push_back(request_head(load, options.method, path, {}, fields));
        return heads;
    }
    // The same ranges for every server.
    std::mt19937_64 generator{1};
    std::uniform_int_distribution<std::uint64_t> starts{0, options.range_of - options.range_length};
    for (std::size_t i = 0; i < ranges_prepared; ++i) {
        const auto start = starts(generator);
        const auto end = start + options.range_length - 1;
        const auto range = "Range: bytes=" + std::to_string(start) + "-" + std::to_string(end) + "\r\n";
        const auto& path = options.paths[i % options.paths.size()];
        heads.push_back(request_head(load, options.method, path, {}, fields + range));
    }
    return heads;
}

class Fetch final : public Script {
public:
    Fetch(std::shared_ptr<const Plan> plan, std::size_t connection) : plan_(std::move(plan))
    {
        const auto paths = plan_->heads.size();
        at_ = plan_->options.each_once ? connection : connection * paths / plan_->connections;
        request_.expects_body = plan_->options.method != "HEAD";
        if (plan_->options.method == "PUT") request_.body.first = plan_->options.body;
    }

    const Request* next(bool stopping) override
    {
        if (stopping) return nullptr;
        if (plan_->options.each_once) {
            if (at_ >= plan_->heads.size()) return nullptr;
            request_.head = plan_->heads[at_];
            at_ += plan_->connections;
        } else {
            request_.head = plan_->heads[at_];
            at_ = at_ + 1 == plan_->heads.size() ? 0 : at_ + 1;
        }
        return &request_;
    }

    Verdict answered(const ResponseReader& response) override
    {
        const auto& options = plan_->options;
        if (response.status() != options.status) {
            return {.unit_done = false, .wrong = wrong_status(options.method, options.status, response)};
        }
        if (options.length != 0 && response.length() != options.length) {
            return {.unit_done = false, .wrong = "body of " + std::to_string(response.length()) + " bytes"};
        }
        return {.unit_done = true};
    }

private:
    std::shared_ptr<const Plan> plan_;
    std::size_t at_ = 0;
    Request request_;
};

}  // namespace

ScriptFactory fetch_scripts(const Load& load, const FetchOptions& options)
{
    auto plan = std::make_shared<Plan>();
    plan->heads = make_heads(load, options);
    plan->options = options;
    plan->connections = static_cast<std::size_t>(std::max(1, load.connections));
    return [plan](int connection) { return std::make_unique<Fetch>(plan, static_cast<std::size_t>(connection)); };
}

}  // namespace entrepot::load
