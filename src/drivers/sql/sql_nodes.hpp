#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/node_catalog.hpp"

namespace entrepot {

// NodeCatalog on any SqlEngine, which outlives it.
class SqlNodes final : public NodeCatalog {
public:
    explicit SqlNodes(SqlEngine& engine) : engine_{engine} {}

    Task<std::string> keep_secret(std::string name, std::string sealed) override;
    Task<> add_token(NodeTokenEntry token, Actor actor) override;
    Task<std::vector<NodeTokenEntry>> tokens() override;
    Task<NodeTokenEntry> token(std::string id) override;
    Task<> remove_token(std::string id, Actor actor) override;
    Task<> admit(NodeEntry node) override;
    Task<> renew(std::string id, Micros certified_at, Micros expires_at) override;
    Task<NodeEntry> node(std::string id) override;
    Task<NodeList> nodes(std::string zone, std::string after_id, std::int64_t limit) override;
    Task<> remove_node(std::string id, Actor actor) override;
    Task<std::vector<NodeEntry>> forget_nodes(Micros certified_before, std::int64_t limit, Actor actor) override;
    Task<std::vector<std::string>> meet(std::string endpoint, Micros lifetime) override;
    Task<> part(std::string endpoint) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
