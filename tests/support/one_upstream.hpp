#pragma once

#include "ports/upstreams.hpp"

#include <memory>
#include <vector>

namespace entrepot {

// One site, whatever is opened.
class OneUpstream final : public Upstreams {
public:
    // The site outlives this.
    explicit OneUpstream(CopySite& site) { lead_to(site); }
    void lead_to(CopySite& site)
    {
        site_ = {&site, [](CopySite*) {}};
    }
    const std::vector<AdapterInfo>& adapters() const override { return adapters_; }
    Task<std::shared_ptr<CopySite>> open(std::int64_t) override { co_return site_; }
    Task<std::shared_ptr<CopySite>> open(RegistryEndpoint) override { co_return site_; }

private:
    std::shared_ptr<CopySite> site_;
    std::vector<AdapterInfo> adapters_;
};

}  // namespace entrepot
