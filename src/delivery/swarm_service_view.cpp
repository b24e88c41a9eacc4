#include "delivery/swarm_service.hpp"

#include <set>
#include <utility>
#include <vector>

// What others see of it.
namespace entrepot {

// As the catalog calls them now; those that it doesn't answer for have no name, and are asked about again.
asio::awaitable<void> SwarmService::name_repositories()
{
    std::set<std::uint64_t> nameless;
    for (const auto& [id, served] : served_) {
        for (const auto repository : served.repositories) {
            if (!names_.contains(repository)) nameless.insert(repository);
        }
    }
    for (const auto repository : nameless) {
        if (stopping_) co_return;
        const auto renames = renames_;
        auto asking = repository_of(repository);
        const auto name = co_await std::move(asking);
        if (!name && !is_gone(name.error().code())) co_return;
        // It may have got another one while it was asked for.
        if (name && renames == renames_) names_.insert_or_assign(repository, name->text());
    }
}

asio::awaitable<void> SwarmService::look_at_images()
{
    auto naming = name_repositories();
    co_await std::move(naming);
    std::vector<SwarmPainter::Subject> subjects;
    for (const auto& [id, served] : served_) {
        SwarmPainter::Subject subject{.image = served.image, .repositories{}, .tallies = tracker_->tallies(id)};
        for (const auto repository : served.repositories) {
            const auto name = names_.find(repository);
            subject.repositories.push_back(
                {.id = repository, .name = name == names_.end() ? std::string{} : name->second}
            );
        }
        subjects.push_back(std::move(subject));
    }
    view_.show(painter_.paint(std::move(subjects), needs_.clock.steady(), needs_.clock.now()));
}

void SwarmService::show_roll(const SwarmId& swarm)
{
    auto roll = std::make_shared<SwarmRoll>();
    roll->taken = now();
    roll->at = needs_.clock.now();
    roll->members = tracker_->members(swarm);
    view_.show(swarm, std::move(roll));
}

}  // namespace entrepot
